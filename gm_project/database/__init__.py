"""The database as the environment names it: its URL, time limits, files and locks."""
