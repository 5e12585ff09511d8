"""csv and its relatives."""
