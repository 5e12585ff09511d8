"""What is going to happen to every row, made and compared before anything is written."""
