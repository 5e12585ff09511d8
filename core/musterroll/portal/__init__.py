"""The user backend as the engine calls it."""
