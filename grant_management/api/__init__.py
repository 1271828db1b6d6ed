"""Every HTTP door."""
