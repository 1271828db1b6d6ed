"""Peers and floors."""
