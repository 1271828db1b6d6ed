"""The rows that are in the pages' addresses."""

import json
from types import SimpleNamespace

from benchmarks.data import FIRST_SERVICE

from . import long
from .rows import ANOTHER, MARK, OPERATOR


def rows():
    """The keys and the names of rows of the big service, most of them from the middle."""
    from grant_management.models import AccessToken, Grant, GrantEvent, RefreshToken
    from grant_management.protocol.digests import sha256

    grants = Grant.objects.filter(service=FIRST_SERVICE, grant_id__startswith="g-")
    last = grants.order_by("-grant_id")[0]
    number = int(last.grant_id[2:]) // 20 * 10  # 0 at its end: it is active
    middle = grants.get(grant_id=f"g-{number:010}")
    of = {"service": FIRST_SERVICE}
    token = f"access-{number}"
    event = GrantEvent.objects.filter(**of, grant_id=middle.grant_id, kind="created").get()
    return SimpleNamespace(
        service=FIRST_SERVICE,
        organization=middle.service.organization_id,
        grant=middle.pk,
        grant_id=middle.grant_id,
        subject=middle.subject,
        client=middle.client_id,
        client_id=middle.client.client_id,
        token=token,
        digest=sha256(token).hex()[:12],
        accesstoken=AccessToken.objects.get(**of, digest=sha256(token)).pk,
        refreshtoken=RefreshToken.objects.get(**of, digest=sha256(f"refresh-{number}")).pk,
        event=event.pk,
        after_grant=_cursor(middle.created_at, middle.pk),
        after_event=_cursor(event.at, event.pk),
        after_token=_cursor(middle.pk),
        since=f"{middle.created_at:%Y-%m-%d %H:%M:%S}",
        **_small(),
        **_growing(),
        **_long(),
    )


def _cursor(*values):
    named = [one.isoformat() if hasattr(one, "isoformat") else str(one) for one in values]
    return json.dumps(named)


def _small():
    """Of the tables that stay small."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group

    from grant_management.models import (
        ApiToken,
        Client,
        ClientProfile,
        Description,
        DPoPNonce,
        OrganizationMember,
        Stream,
        Sweep,
        Webhook,
    )

    of = {"service": FIRST_SERVICE}
    webhooks = Webhook.objects.filter(**of, description=MARK)
    streams = Stream.objects.filter(**of, description=MARK)
    user = get_user_model().objects.get(username=OPERATOR)
    return {
        "apitoken": ApiToken.objects.get(**of, description=MARK).pk,
        "locked": Client.objects.filter(**of).exclude(locked_at=None)[0].pk,
        "clientprofile": ClientProfile.objects.get(**of).pk,
        "description": Description.objects.get(**of, name="openid").pk,
        "dpopnonce": DPoPNonce.objects.filter(**of)[0].pk,
        "organizationmember": OrganizationMember.objects.get(user_id=user.pk).pk,
        "user": user.pk,
        "another": get_user_model().objects.get(username=ANOTHER).pk,
        "group": Group.objects.order_by("pk")[0].pk,
        "stream": streams.get(status="enabled").pk,
        "stream_paused": streams.get(status="paused").pk,
        "job": Sweep.objects.get(**of, scope="openid").pk,
        "webhook": webhooks.get(disabled_at=None).pk,
        "webhook_disabled": webhooks.exclude(disabled_at=None).get().pk,
    }


def _growing():
    """Of the tables that grow: from the middle."""
    from grant_management.models import Call, OrganizationEvent, WebhookDelivery

    found = {}
    for model in (Call, OrganizationEvent, WebhookDelivery):
        rows = model.objects.order_by("pk")
        middle = rows[rows.count() // 2]
        name = model._meta.model_name
        found |= {name: middle.pk, f"after_{name}": _cursor(middle.pk)}
        if model is OrganizationEvent:
            found[f"after_{name}"] = _cursor(middle.at, middle.pk)
    return found


def _long():
    from grant_management.models import Call, Client, Grant, GrantEvent, Sweep

    of = {"service": FIRST_SERVICE}
    about = {**of, "grant_id": long.GRANT}
    return {
        "long": long.GRANT,
        "long_grant": Grant.objects.get(**about).pk,
        "long_client": Client.objects.get(**of, client_id=long.CLIENT).pk,
        "long_event": GrantEvent.objects.get(**about, kind="created").pk,
        "long_call": Call.objects.get(**about).pk,
        "long_job": Sweep.objects.get(**of, subject=long.PERSON).pk,
    }
