"""The standalone project."""
