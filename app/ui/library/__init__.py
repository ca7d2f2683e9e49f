"""The window in which recordings are looked through and labelled."""
