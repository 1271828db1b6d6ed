"""The answer to Prometheus, in its text format."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry
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
    registry = CollectorRegistry()
    registry.register(_figures)
    if not processes.are_several():
        return generate_latest(REGISTRY) + generate_latest(registry)
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(_Workers())
    return generate_latest(registry)
