"""The pipeline file: from TOML layers to checked settings and named plugin instances."""
