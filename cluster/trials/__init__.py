"""Faults of a cluster, under load: what was acknowledged outlives them."""
