"""The variants: what is on in each, by its environment and by what its database has."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

LINES = {"LOG_CALLS": "on", "LOG_FORMAT": "json"}
FEW = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}


class Places(NamedTuple):
    """Where a variant's process finds a folder, a collector of spans, and a receiver of events."""

    folder: Path
    collector: str
    receiver: Any


@dataclass(frozen=True)
class Variant:
    """`listens`: what is set up in its database, by the names of `setup`."""

    name: str
    lines: bool = False
    metrics: bool = False
    spans: str = ""
    listens: tuple[str, ...] = field(default=())

    @property
    def slug(self) -> str:
        """Its name, for a folder and a database."""
        return "".join(letter if letter.isalnum() else "_" for letter in self.name.lower())

    def environment(self, places: Places, own: Path) -> dict[str, str]:
        """The environment of its process."""
        made = dict(LINES) if self.lines else {}
        if self.metrics:
            (own / "metrics").mkdir()
            made |= {"METRICS_PORT": "1", "PROMETHEUS_MULTIPROC_DIR": str(own / "metrics")}
        if self.spans:
            made |= {"OTEL_EXPORTER_OTLP_ENDPOINT": places.collector}
            made |= FEW if self.spans == "few" else {}
        return made | (_sends(places) if self.listens else {})


def _sends(places: Places) -> dict[str, str]:
    from cryptography.fernet import Fernet

    from tests.receiver import NETWORKS

    settings = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()], "WEBHOOK_NETWORKS": NETWORKS}
    return {
        "GRANT_MANAGEMENT": json.dumps(settings),
        "SSL_CERT_FILE": str(places.receiver.pem),
        "OBSERVED_RECEIVER": places.receiver.url,
    }


ALL_OFF = Variant("all off")
EVENTS = ("calls", "webhook", "stream")
VARIANTS = (
    ALL_OFF,
    Variant("a JSON line for each call", lines=True),
    Variant("the service's log of calls", listens=("calls",)),
    Variant("metrics", metrics=True),
    Variant("spans of 1 call in 100", spans="few"),
    Variant("spans of every call", spans="all"),
    Variant("events published", listens=("publish",)),
    Variant("events published and chained", listens=("chain",)),
    Variant("a webhook", listens=("webhook",)),
    Variant("a stream that is pushed", listens=("stream",)),
    Variant("all on, spans of 1 in 100", lines=True, metrics=True, spans="few", listens=EVENTS),
    Variant("all on", lines=True, metrics=True, spans="all", listens=EVENTS),
)
