"""The journal: what was planned, what became of it, and who was invited. No cells and no passwords."""
