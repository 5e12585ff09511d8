"""Users in memory, for tests and rehearsals."""
