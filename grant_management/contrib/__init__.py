"""Bridges to authorization servers."""
