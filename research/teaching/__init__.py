"""What teaching is worth: few clips, few labels, false alarms."""
