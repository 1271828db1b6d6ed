"""What is counted while calls are answered. Importing this makes the metrics."""

from typing import Final

from prometheus_client import Counter, Histogram

from .. import observation
from ..api.answered import Answered
from ..models import StreamDelivery, WebhookDelivery
from ..models.webhook_attempt import Outcome
from ..protocol.results import Result
from . import processes
from .labels import service_label

processes.share()

SERVER: Final = "server"
"""The action of what the server refused before the app saw it."""
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

DECISIONS: Final = Counter(
    "grant_management_decisions",
    "Calls that were answered, by operation (or QUERY and REVOKE), result code and service.",
    ("action", "code", "service"),
)
SECONDS: Final = Histogram(
    "grant_management_request_seconds",
    "Seconds from the first middleware to the answer.",
    ("door",),
    buckets=_SECONDS,
)
REPLAYS: Final = Counter(
    "grant_management_replays_refused",
    "Calls that were refused since their DPoP proof was used before.",
    ("service",),
)
FAILURES: Final = Counter(
    "grant_management_database_errors", "Errors of the database that ended something.", ("kind",)
)
RETRIES: Final = Counter(
    "grant_management_retries", "Transactions that were tried again after a conflict."
)
LOCKS: Final = Histogram(
    "grant_management_lock_seconds",
    "Seconds that a statement took which locks a grant, a client or a service.",
    buckets=_SECONDS,
)
ATTEMPTS: Final = Counter(
    "grant_management_delivery_attempts",
    "Attempts to send to a webhook or a stream, by outcome.",
    ("to", "outcome"),
)
GIVEN_UP: Final = Counter(
    "grant_management_deliveries_given_up",
    "Deliveries to webhooks and streams that were given up after an attempt.",
    ("to",),
)
STARTS: Final = Counter("grant_management_worker_starts", "Workers that were started.")


class Counted:
    """The observer that counts (`observation.Observer`)."""

    def failed(self, kind: str) -> None:
        """Count an error of the database."""
        FAILURES.labels(kind).inc()

    def retried(self) -> None:
        """Count a transaction that is tried again."""
        RETRIES.inc()

    def locked(self, seconds: float) -> None:
        """Count a statement that locks rows."""
        LOCKS.observe(seconds)

    def refused(self, code: str) -> None:
        """Count a request that the app never saw."""
        DECISIONS.labels(SERVER, code, "").inc()

    def attempted(self, to: str, outcome: str, *, is_dead: bool) -> None:
        """Count an attempt to send to a webhook or a stream, and a delivery that was given up."""
        ATTEMPTS.labels(to, outcome).inc()
        GIVEN_UP.labels(to).inc(int(is_dead))


def start() -> None:
    """Count from now on. What has not happened yet is 0, so that an alert can compare."""
    observation.observe(Counted())
    for model in (WebhookDelivery, StreamDelivery):
        to = model.objects.all().to
        GIVEN_UP.labels(to)
        for outcome in Outcome:
            ATTEMPTS.labels(to, outcome.value)


def count(told: Answered) -> None:
    """Count a call that was answered."""
    service = service_label(told.service)
    DECISIONS.labels(told.action or told.door, told.code or str(told.status), service).inc()
    SECONDS.labels(told.door).observe(told.seconds)
    if told.code == Result.PROOF_REPLAYED.code:
        REPLAYS.labels(service).inc()
