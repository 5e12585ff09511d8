"""The plugin contract: the roles, the records that announce them, and the registry that finds them."""
