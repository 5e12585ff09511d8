"""The sheet: opened, read row by row, checked."""
