"""The source's side of a run: reading it, playing a file, and the mailbox between two threads."""
