"""Spreadsheet formats."""
