"""Migrations of the standalone project's own table."""
