"""Statements that leave a table without its service, and why: by their place, and by the table."""

EXCEPTIONS: dict[tuple[str, str], str] = {}
