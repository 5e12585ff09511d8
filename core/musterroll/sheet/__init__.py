"""The sheet stage: from a file's cells to rows of values, normalised once."""
