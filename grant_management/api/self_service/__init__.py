"""Self-service for hosts that are not in Django: short-lived tokens, and a person's own grants."""
