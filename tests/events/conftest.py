import pytest
from cryptography.fernet import Fernet

from grant_management.events import sending
from grant_management.models import Reason, Webhook, WebhookDelivery

from ..receiver import NETWORKS, receiving
from ..world import BY_TEST

WHY = Reason("test data")


@pytest.fixture
def receiver(tmp_path, settings, monkeypatch):
    with receiving(tmp_path) as one:
        monkeypatch.setenv("SSL_CERT_FILE", str(one.pem))
        sending._trust.cache_clear()
        settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {
            "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
            "WEBHOOK_NETWORKS": NETWORKS,
        }
        yield one
    sending._trust.cache_clear()


@pytest.fixture
def listen(world, receiver):
    """A webhook of the world, and what its receiver verifies with; what told of itself is gone."""

    def register(signature="v1", **fields):
        url = fields.pop("url", receiver.url)
        made = Webhook.objects.register(
            world.service, BY_TEST, signature=signature, url=url, **fields
        )
        world.service.refresh_from_db()
        return made

    return register


@pytest.fixture
def last_attempt():
    def find():
        return WebhookDelivery.objects.order_by("number").last().log.order_by("at", "pk").last()

    return find
