"""The library: recordings on disk, their labels, and what comes in and goes out. No Qt."""
