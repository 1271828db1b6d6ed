"""The HTTP API: its views, and what they share (authentication, bodies, errors, throttles)."""
