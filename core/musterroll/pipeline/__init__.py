"""The pipeline file: read, merged, checked."""
