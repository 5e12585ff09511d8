"""Who is invited, by whom, and the sending."""
