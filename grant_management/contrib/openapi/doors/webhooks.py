"""The operations on webhooks."""

from typing import Final

from ....api.store import webhooks
from ....fields import members as m
from ....protocol.results import Result
from ..said import Key, Said
from ..schemas import Schema
from ..shapes import COUNT, FLAG, NUMBER, STAMP, TEXT, UUID, Shape, array_of, done, members, of
from .common import DONE

R = Result
_WEBHOOK: Final[tuple[dict[str, Schema], dict[str, Schema]]] = (
    {"webhookId": UUID, **members(m.WEBHOOK_URL, m.ENABLED), "createdAt": STAMP},
    members(m.EVENT_TYPES, m.DESCRIPTION) | {"disabledAt": STAMP},
)
_KEY: Final = of("secret", "publicKey", schema=TEXT)
WEBHOOK: Final = done("Webhook", *_WEBHOOK)
NEW_WEBHOOK: Final = done("NewWebhook", _WEBHOOK[0] | members(m.SIGNATURE), _WEBHOOK[1] | _KEY)
WEBHOOKS: Final = done("Webhooks", {"webhooks": array_of(Shape("ListedWebhook", *_WEBHOOK).ref)})
WEBHOOK_KEY: Final = done("WebhookKey", {"webhookId": UUID, **members(m.SIGNATURE)}, _KEY)
TESTED: Final = done("TestedWebhook", {"eventId": UUID})
REPLAYED: Final = done("ReplayedEvents", {"count": COUNT, "complete": FLAG})
_ATTEMPT: Final = Shape(
    "DeliveryAttempt", {"at": STAMP, "outcome": TEXT, "milliseconds": COUNT}, {"status": NUMBER}
)
_DELIVERY: Final = Shape(
    "Delivery",
    {
        "eventId": UUID,
        "type": TEXT,
        **members(m.DELIVERY_STATE),
        "attempts": array_of(_ATTEMPT.ref),
    },
    {"grantId": TEXT, **of("dueAt", "deliveredAt", "deadAt", schema=STAMP)},
)
DELIVERIES: Final = done("Deliveries", {"deliveries": array_of(_DELIVERY.ref)}, {"cursor": TEXT})
_UNKNOWN: Final = (R.WEBHOOK_UNKNOWN,)
SAID: Final[dict[Key, Said]] = {
    webhooks.create: Said("createWebhook", NEW_WEBHOOK, (R.WEBHOOKS_NOT_CONFIGURED,), ("url",)),
    webhooks.list_webhooks: Said("listWebhooks", WEBHOOKS),
    webhooks.get: Said("getWebhook", WEBHOOK, _UNKNOWN),
    webhooks.update: Said("updateWebhook", WEBHOOK, _UNKNOWN),
    webhooks.delete: Said("deleteWebhook", DONE, _UNKNOWN),
    webhooks.rotate: Said("rotateWebhookKey", WEBHOOK_KEY, (*_UNKNOWN, R.WEBHOOKS_NOT_CONFIGURED)),
    webhooks.test: Said("testWebhook", TESTED, (*_UNKNOWN, R.WEBHOOK_DISABLED)),
    webhooks.replay: Said(
        "replayEvents", REPLAYED, (*_UNKNOWN, R.WEBHOOK_EVENT_UNKNOWN, R.WEBHOOK_DISABLED)
    ),
    webhooks.deliveries: Said("listDeliveries", DELIVERIES, _UNKNOWN),
}
