"""Grant Management for OAuth 2.0 as a pluggable Django app."""

__version__ = "0.1.0"
