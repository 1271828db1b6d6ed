"""Grants, tokens and what they hang on, as JSON Lines: in and out."""
