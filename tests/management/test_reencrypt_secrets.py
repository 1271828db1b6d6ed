"""Secrets come under the first of ENCRYPTION_KEYS, so that the others can be removed."""

import json
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from grant_management.db import encryption
from grant_management.models import ApiToken, SigningKey, Stream, Webhook
from grant_management.models.sealed_secrets import COLUMNS
from grant_management.models.webhook_key import WebhookKey

from ..world import BY_TEST

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture
def use(settings):
    def choose(*keys):
        settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": list(keys)}

    choose(OLD)
    return choose


@pytest.fixture
def secrets(world, use):
    """One of each kind, and a stream that has none; the secrets as they are."""
    for _ in range(3):
        Webhook.objects.register(world.service, BY_TEST, signature="v1", url="https://a.example/")
    push = {"method": "push", "url": "https://a.example/", "authorization_header": "Bearer x"}
    for fields in (push, {"method": "poll"}):
        Stream.objects.register(ApiToken.objects.get(), world.service, BY_TEST, **fields)
    return opened()


def sealed():
    return [
        bytes(one)
        for model, column in COLUMNS
        for one in model.objects.exclude(**{column: None}).values_list(column, flat=True)
    ]


def opened():
    return sorted(encryption.decrypt(one) for one in sealed())


def run(*arguments):
    said = StringIO()
    call_command("reencrypt_secrets", "--json", *arguments, stdout=said, stderr=StringIO())
    return json.loads(said.getvalue())


def test_the_old_key_can_go(secrets, use):
    assert len(secrets) == 5
    assert {WebhookKey, SigningKey, Stream} == {model for model, _column in COLUMNS}
    use(NEW, OLD)
    assert run("--batch-size", "2") == {"reencrypted": 5, "current": 0, "lost": 0}
    use(NEW)
    assert opened() == secrets


def test_a_dry_run_changes_nothing(secrets, use):
    use(NEW, OLD)
    before = sealed()
    assert run("--dry-run") == {"reencrypted": 5, "current": 0, "lost": 0}
    assert sealed() == before


def test_it_can_be_run_again(secrets, use):
    use(NEW, OLD)
    key = WebhookKey.objects.order_by("pk").first()
    key.sealed = encryption.renewed(key.sealed)
    key.save()
    assert run() == {"reencrypted": 4, "current": 1, "lost": 0}
    before = sealed()
    assert run() == {"reencrypted": 0, "current": 5, "lost": 0}
    assert sealed() == before


def test_a_secret_that_no_key_fits(secrets, use):
    """The others are encrypted anew."""
    key = WebhookKey.objects.order_by("pk").first()
    use(Fernet.generate_key().decode())
    key.sealed = encryption.encrypt(b"x")
    key.save()
    use(NEW, OLD)
    said = StringIO()
    with pytest.raises(CommandError, match="None of ENCRYPTION_KEYS fits"):
        call_command("reencrypt_secrets", stdout=said)
    assert said.getvalue().startswith("4 secret(s) encrypted anew, 0 under the first key")


def test_without_keys(secrets, use):
    use()
    with pytest.raises(CommandError, match="Set ENCRYPTION_KEYS"):
        run()


def test_a_secret_that_was_replaced_meanwhile_is_kept(secrets, use, monkeypatch):
    use(NEW, OLD)
    fresh = encryption.encrypt(b"replaced")
    renewed = encryption.renewed

    def replace(one):
        WebhookKey.objects.filter(sealed=one).update(sealed=fresh)
        return renewed(one)

    monkeypatch.setattr(encryption, "renewed", replace)
    run()
    assert {bytes(one) for one in WebhookKey.objects.values_list("sealed", flat=True)} == {fresh}
