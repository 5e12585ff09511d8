"""Ways to find out the groups of a row."""
