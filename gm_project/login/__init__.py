"""How operators log in, and how often somebody may try."""
