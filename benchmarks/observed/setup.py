"""Sets the database of a variant up: who listens to the events of its service."""

import os
from typing import Any

from grant_management.models import ApiToken, EventChain, Service, Stream, Webhook, publishing
from grant_management.models.event import Actor, ActorKind
from grant_management.protocol.shared_signals import SUPPORTED

from .. import targets

BY = Actor(ActorKind.COMMAND, "benchmark")
HISTORY_AT_ONCE = 1_000


def set_up(listens: list[str]) -> None:
    """Set up what is named: `calls`, `publish`, `chain`, `webhook`, `stream`."""
    for name in listens:
        _STEPS[name](Service.objects.get(pk=targets.SERVICE))


def _calls(service: Service) -> None:
    Service.objects.filter(pk=service.pk).update(call_log_size=1_000)


def _publish(service: Service) -> None:
    publishing.publish(service, BY)
    for _added in publishing.add_history(service, HISTORY_AT_ONCE):
        pass


def _chain(service: Service) -> None:
    _publish(service)
    EventChain.objects.begin(service)


def _webhook(service: Service) -> None:
    Webhook.objects.register(service, BY, signature="v1", url=os.environ["OBSERVED_RECEIVER"])


def _stream(service: Service) -> None:
    token = ApiToken.objects.get(service=service)
    fields: dict[str, Any] = {"method": "push", "url": os.environ["OBSERVED_RECEIVER"]}
    Stream.objects.register(token, service, BY, events_requested=list(SUPPORTED), **fields)


_STEPS = {
    "calls": _calls,
    "publish": _publish,
    "chain": _chain,
    "webhook": _webhook,
    "stream": _stream,
}
