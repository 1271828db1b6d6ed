"""The operations on webhooks. The API token needs the right to manage them."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from ...db import encryption
from ...fields import members as m
from ...models import Webhook, WebhookAttempt, WebhookDelivery
from ...models.receiver import AT_MOST, TooManyReceivers
from ...models.webhook import OVERLAP
from ...models.webhook_delivery import NoSuchEvent
from ...protocol import times
from ...protocol.results import Refused, Result
from ...protocol.standard_webhooks import SYMMETRIC
from .answer import Answer, compact, done
from .request import StoreRequest

CREATE = (m.WEBHOOK_URL, m.EVENT_TYPES, m.SIGNATURE, m.DESCRIPTION)
UPDATE = (m.WEBHOOK_URL, m.EVENT_TYPES, m.ENABLED, m.DESCRIPTION)
ROTATE = (m.SIGNATURE, m.OVERLAP)
REPLAY = (m.EVENT_ID, m.FROM, m.UNTIL)
DELIVERIES = (m.DELIVERY_STATE, m.LIMIT, m.CURSOR)
PAGE: Final = 100
_COLUMNS: Final = {
    "url": "url",
    "eventTypes": "event_types",
    "description": "description",
    "enabled": "enabled",
}


def create(request: StoreRequest) -> Answer:
    """`/webhooks`: a new webhook, and its key. Only this answer has the secret of a `v1` key.

    Refused: `url` is missing, the service has too many, or the server has no encryption keys.
    """
    if "url" not in request.values:
        raise Refused(Result.BODY_UNREADABLE, "'url' is missing.")
    fields = _columns(request)
    signature = request.values.get("signature", SYMMETRIC)
    try:
        webhook, shown = Webhook.objects.register(
            request.service, request.caller, signature=signature, **fields
        )
    except encryption.CannotDecrypt:
        raise Refused(Result.WEBHOOKS_NOT_CONFIGURED) from None
    except TooManyReceivers:
        text = f"the service has {AT_MOST} webhooks already."
        raise Refused(Result.BODY_UNREADABLE, text) from None
    return done(show(webhook) | _key(signature, shown))


def list_webhooks(request: StoreRequest) -> Answer:
    """`/webhooks/list`: all webhooks, without keys."""
    return done({}) | {"webhooks": [show(one) for one in Webhook.objects.of(request.service)]}


def get(request: StoreRequest, webhook_id: str) -> Answer:
    """`/webhooks/{webhookId}/get`: the webhook, without its keys."""
    return done(show(_find(request, webhook_id)))


def update(request: StoreRequest, webhook_id: str) -> Answer:
    """`/webhooks/{webhookId}/update`: change the members that are given."""
    webhook = _find(request, webhook_id)
    try:
        webhook.change(request.caller, **_columns(request))
    except Webhook.DoesNotExist:
        raise Refused(Result.WEBHOOK_UNKNOWN) from None
    return done(show(webhook))


def delete(request: StoreRequest, webhook_id: str) -> Answer:
    """`/webhooks/{webhookId}/delete`: delete it with its keys; the purge deletes its log."""
    if not _find(request, webhook_id).remove(request.caller):
        raise Refused(Result.WEBHOOK_UNKNOWN)
    return done({})


def rotate(request: StoreRequest, webhook_id: str) -> Answer:
    """`/webhooks/{webhookId}/rotate`: a new key. Those before it sign for `overlap` seconds.

    Refused: the server has no encryption keys.
    """
    values = request.values
    signature = values.get("signature", SYMMETRIC)
    overlap = timedelta(seconds=values["overlap"]) if "overlap" in values else OVERLAP
    webhook = _find(request, webhook_id)
    try:
        shown = webhook.rotate(request.caller, signature=signature, overlap=overlap)
    except Webhook.DoesNotExist:
        raise Refused(Result.WEBHOOK_UNKNOWN) from None
    except encryption.CannotDecrypt:
        raise Refused(Result.WEBHOOKS_NOT_CONFIGURED) from None
    return done({"webhookId": webhook_id} | _key(signature, shown))


def test(request: StoreRequest, webhook_id: str) -> Answer:
    """`/webhooks/{webhookId}/test`: send the event `webhook.tested` there.

    Refused: the webhook is disabled.
    """
    event = WebhookDelivery.objects.test(_find_enabled(request, webhook_id), request.caller)
    return done({"eventId": str(event.pk)})


def replay(request: StoreRequest, webhook_id: str) -> Answer:
    """`/webhooks/{webhookId}/replay`: send one event once more, or those of a span of time.

    Of a span the first 10,000; `complete` says whether these were all of them. `count`
    is without those that are on their way already. Refused: neither an event nor a span is named,
    there is no such event, or the webhook is disabled.
    """
    values, caller = request.values, request.caller
    if not values.keys() & {"eventId", "from"}:
        raise Refused(Result.BODY_UNREADABLE, "'eventId' or 'from' is missing.")
    webhook, rows = _find_enabled(request, webhook_id), WebhookDelivery.objects
    if "eventId" not in values:
        end = values.get("until", request.now)
        count, complete = rows.replay_span(webhook, caller, values["from"], end)
        return done({}) | {"count": count, "complete": complete}
    try:
        count = rows.replay_event(webhook, caller, values["eventId"])
    except NoSuchEvent:
        raise Refused(Result.WEBHOOK_EVENT_UNKNOWN) from None
    return done({}) | {"count": count, "complete": True}


def deliveries(request: StoreRequest, webhook_id: str) -> Answer:
    """`/webhooks/{webhookId}/deliveries`: its deliveries, newest first, each with its attempts."""
    values, size = request.values, request.values.get("limit", PAGE)
    rows = WebhookDelivery.objects.filter(webhook=_find(request, webhook_id)).order_by("-pk")
    if "cursor" in values:
        rows = rows.filter(pk__lt=_uuid(values["cursor"], "cursor"))
    if "state" in values:
        rows = rows.in_state(values["state"])
    found = list(rows.prefetch_related("log")[: size + 1])
    cursor = str(found[size - 1].pk) if len(found) > size else None
    return done({"cursor": cursor}) | {"deliveries": [_delivery(one) for one in found[:size]]}


def show(webhook: Webhook) -> Answer:
    """The members of a webhook, without its keys; times are milliseconds."""
    stamps = {"createdAt": webhook.created_at, "disabledAt": webhook.disabled_at}
    shown = {name: times.to_milliseconds(at) for name, at in stamps.items() if at}
    return webhook.shown() | shown


def _delivery(row: WebhookDelivery) -> Answer:
    stamps = {"dueAt": row.due_at, "deliveredAt": row.delivered_at, "deadAt": row.dead_at}
    shown = {
        "eventId": str(row.event),
        "type": row.type,
        "grantId": row.grant_id,
        "state": row.state,
        **{name: times.to_milliseconds(at) for name, at in stamps.items() if at},
    }
    log = sorted(row.log.all(), key=lambda one: one.pk)
    return compact(shown) | {"attempts": [_attempt(one) for one in log]}


def _attempt(row: WebhookAttempt) -> Answer:
    told = {"at": times.to_milliseconds(row.at), "outcome": row.outcome, "status": row.status}
    return compact(told) | {"milliseconds": row.milliseconds}


def _columns(request: StoreRequest) -> dict[str, Any]:
    values = request.values
    return {column: values[name] for name, column in _COLUMNS.items() if name in values}


def _key(signature: str, shown: str) -> Answer:
    return {"signature": signature, "secret" if signature == SYMMETRIC else "publicKey": shown}


def _find(request: StoreRequest, webhook_id: str) -> Webhook:
    """The webhook. Refused: the service has none of this ID."""
    try:
        key = UUID(webhook_id)
    except ValueError:
        raise Refused(Result.WEBHOOK_UNKNOWN) from None
    webhook = Webhook.objects.of(request.service).filter(pk=key).first()
    if webhook is None:
        raise Refused(Result.WEBHOOK_UNKNOWN)
    return webhook


def _find_enabled(request: StoreRequest, webhook_id: str) -> Webhook:
    webhook = _find(request, webhook_id)
    if webhook.disabled_at is not None:
        raise Refused(Result.WEBHOOK_DISABLED)
    return webhook


def _uuid(text: str, member: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(Result.BODY_UNREADABLE, f"'{member}' is not valid.") from None
