"""Benchmarks: never part of the test suite; their results are ratios within one run."""
