"""What a plugin sees and is given, and what it hands back. Nothing here knows the journal."""
