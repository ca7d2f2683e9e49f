"""Offline training of recognizers. Of what is installed, only this package imports torch."""
