"""Metrics for Prometheus: calls, failures, waits, and figures of the database.

It needs prometheus_client (the extra `prometheus`), and is imported only where `METRICS` is True.
"""
