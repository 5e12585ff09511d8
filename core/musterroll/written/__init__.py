"""The files that are written for a person: blank sheets and rejected rows."""
