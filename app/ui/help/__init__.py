"""What Help opens: the documentation, the doctor, and what this program is."""
