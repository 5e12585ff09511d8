"""Rules for rows and sheets."""
