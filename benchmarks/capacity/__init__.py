"""Capacity: the arithmetic of docs/explanation/sizing.md, and a simulation that checks it.

Nothing is measured here: `measured` has what benchmarks found, `assumed` what a reader may change.
"""
