"""The answer to Prometheus, in its text format."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from . import processes
from .figures import DatabaseFigures

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_figures: Final = DatabaseFigures()


class _Workers(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "grant_management_workers", "Workers that run.", value=processes.workers()
        )


def exposition() -> bytes:
    """All metrics: of the processes that share a folder, else of this process; and the database's.

    It asks the database, at most every `figures.KEPT_FOR` seconds.
    """
    return generate_latest(_registry())


def serve(port: int) -> None:
    """Answer with them at a port of this machine, in a daemon thread. OSError: it is taken."""
    start_http_server(port, "127.0.0.1", registry=_registry())


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_figures)
    if processes.are_several():
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(_Workers())
    else:
        registry.register(REGISTRY)
    return registry
