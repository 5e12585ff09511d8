"""The planning stage: what would change against the live backend, as data, before anything is written."""
