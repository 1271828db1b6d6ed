"""The rows that the pages of the console show, beside the many grants of `benchmarks.data`.

Tables that grow have a row for each twenty grants; of all others there is one or a few.
"""

from benchmarks.data import FIRST_SERVICE, analyze, midnight

from . import growing, long

EACH = 20
"""Grants for each call, delivery, event of the organization, and grant that a job revoked."""
LOG = 1_000_000
"""The most calls that a service can keep."""
MARK = "bench"
"""The description of what is made here, by which it is found again."""
OPERATOR, ANOTHER = "operator", "another"
"""The user who sees everything, and one whom that user may change."""


def make(grants):
    """Make what is missing, beside this many grants. It costs nothing where all is there."""
    from django.db import connection, transaction

    from grant_management.models import Tally, Webhook, daily_total

    if Webhook.objects.filter(description=MARK).exists():
        return
    with transaction.atomic():
        growing.make(grants // EACH, *_make_few())
        long.make()
    analyze(connection)
    daily_total.add_up(Tally.count_events())
    Tally.count_live()


def _make_few():
    """A row of each table that stays small; the webhook, the stream and the job."""
    from django.contrib.auth import get_user_model

    from grant_management.models import ApiToken, DPoPNonce, OrganizationMember, Service
    from grant_management.protocol.digests import sha256

    Service.objects.filter(pk=FIRST_SERVICE).update(call_log_size=LOG)
    service = Service.objects.get(pk=FIRST_SERVICE)
    user = get_user_model().objects.create_superuser(OPERATOR, password=None)
    OrganizationMember.objects.create(user=user, organization=service.organization)
    another = get_user_model().objects.create_user(ANOTHER, is_staff=True)
    OrganizationMember.objects.create(user=another, organization=service.organization)
    DPoPNonce.objects.at(service, midnight())
    about = {"organization": service.organization, "service": service, "description": MARK}
    made = {"digest": sha256(MARK), "prefix": MARK, "created_at": midnight()}
    token = ApiToken.objects.create(**about, **made, last_used_at=midnight())
    _describe(service)
    return *_receivers(service, token), _job(service)


def _receivers(service, token):
    from grant_management.models import Stream, Webhook

    about = {"service": service, "created_at": midnight(), "description": MARK}
    about["url"] = "https://receiver.example/"
    Webhook.objects.create(**about, disabled_at=midnight())
    Stream.objects.create(**about, api_token=token, method="poll", status="paused")
    stream = Stream.objects.create(**about, api_token=token, method="poll")
    return Webhook.objects.create(**about), stream


def _describe(service):
    """Words about a scope and a client, and a locked client."""
    from grant_management.models import Client, ClientProfile, Description

    text = {"language": "en", "name": "Accounts", "sentence": "See your accounts."}
    Description.objects.create(service=service, kind="scope", name="openid", texts=[text])
    clients = Client.objects.filter(service=service).order_by("pk")
    profile = {"language": "en", "name": "Budget app"}
    ClientProfile.objects.create(service=service, client=clients[1], texts=[profile])
    Client.objects.filter(pk=clients[2].pk).update(locked_at=midnight())


def _job(service):
    """A revoke by filter that has ended."""
    from grant_management.models import Sweep

    by = {"actor_kind": "operator", "actor": OPERATOR}
    times = dict.fromkeys(("started_at", "worked_at", "finished_at"), midnight())
    return Sweep.objects.create(service=service, scope="openid", expected=10_001, **by, **times)
