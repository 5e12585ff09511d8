"""HTTP for plugins."""
