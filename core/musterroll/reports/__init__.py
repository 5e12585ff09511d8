"""What is told of a command, a job, a row, an invite."""
