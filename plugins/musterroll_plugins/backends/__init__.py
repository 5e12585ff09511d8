"""Portals: where users are created and updated."""
