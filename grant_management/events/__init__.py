"""Tells the events of services outside of this system."""
