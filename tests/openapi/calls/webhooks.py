from grant_management.events.delivering import number_waiting
from grant_management.models import Webhook, WebhookDelivery

from ...world import BY_TEST
from ..scene import Call

URL = "https://receiver.example/grants"
NONE = {"webhookId": "01900000-0000-7000-8000-000000000000"}


def one(scene):
    made, _secret = Webhook.objects.register(
        scene.service, BY_TEST, signature="v1", url=URL, event_types=["grant.revoked"]
    )
    return {"parameters": {"webhookId": made.pk}}


def tested(scene):
    made = one(scene)
    WebhookDelivery.objects.test(Webhook.objects.get(), BY_TEST)
    number_waiting()
    return made


def disabled(scene):
    made = one(scene)
    Webhook.objects.get().change(BY_TEST, enabled=False)
    return made


CALLS = [
    Call("createWebhook", "With a secret", body={"url": URL, "eventTypes": ["grant.revoked"]}),
    Call("createWebhook", "With a public key", body={"url": URL, "signature": "v1a"}),
    Call("createWebhook", "An http URL", body={"url": "http://receiver.example/"}),
    Call("listWebhooks", "All webhooks", prepare=one),
    Call("getWebhook", "The webhook", prepare=one),
    Call("getWebhook", "No such webhook", NONE),
    Call("updateWebhook", "It is disabled", body={"enabled": False}, prepare=one),
    Call("deleteWebhook", "It is deleted", prepare=one),
    Call("rotateWebhookKey", "A new key", body={"signature": "v1", "overlap": 3600}, prepare=one),
    Call("testWebhook", "The event is sent", prepare=one),
    Call("testWebhook", "It is disabled", prepare=disabled),
    Call("replayEvents", "Of a span", body={"from": 1767225600000}, prepare=tested),
    Call("listDeliveries", "The newest first", prepare=tested),
]
