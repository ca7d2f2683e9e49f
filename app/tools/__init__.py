"""What looks at the program itself: the benchmark and the doctor."""
