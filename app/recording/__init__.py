"""Recordings on disk: a folder each, with video, joints and what is known of it."""
