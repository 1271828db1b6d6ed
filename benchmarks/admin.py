"""How long the admin's pages take where there are many grants: `run.py bench admin`.

It runs in a process without a server and without a network, so the time is that of the page. Each
figure is the median of some rounds, in which the pages take turns.
"""

import json
import os
import statistics
import subprocess
import sys
import time

from . import goals, targets
from .processes import ROOT

ROUNDS = 9


def measure(database, url, postmaster, folder, stack, options):
    """Milliseconds of each page."""
    targets.prepare(url, options.many, "", toolkit=False)
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "gm_project.settings"}
    line = [sys.executable, "-m", "benchmarks.admin"]
    said = subprocess.run(line, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True).stdout
    pages = json.loads(said)
    for name, milliseconds in pages.items():
        print(f"{name:44} {milliseconds:7.1f} ms")
    return {"pages": pages, "ratios": {goals.ADMIN: max(pages.values())}}


def main():
    """Print the milliseconds of each page, as JSON."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    user = get_user_model().objects.create_superuser("bench", password=None)
    client = Client()
    client.force_login(user)
    times = {name: [] for name in _pages()}
    for _ in range(ROUNDS):
        for name, (url, data) in _pages().items():
            began = time.perf_counter()
            response = client.post(url, data) if data else client.get(url)
            times[name].append((time.perf_counter() - began) * 1_000)
            assert response.status_code == 200, (url, response.status_code)
    print(json.dumps({name: round(statistics.median(all_), 1) for name, all_ in times.items()}))


def _pages():
    """For each page by name the URL, and what is posted to it; None: it is a GET."""
    from urllib.parse import urlencode

    from django.urls import reverse

    from benchmarks.data import FIRST_SERVICE
    from grant_management.db import clock
    from grant_management.models import Grant, GrantEvent, GrantStatus
    from grant_management.protocol.digests import sha256

    def listing(model, **query):
        url = reverse(f"admin:grant_management_{model}_changelist")
        return f"{url}?{urlencode({'service': FIRST_SERVICE, **query})}", None

    def check(**wanted):
        url = reverse("admin:grant_management_sweep_check")
        return url, {"service": FIRST_SERVICE, **wanted}

    rows = Grant.objects.filter(service=FIRST_SERVICE)
    middle = rows.get(grant_id=f"g-{int(rows.order_by('-grant_id')[0].grant_id[2:]) // 2:010d}")
    cursor = json.dumps([middle.created_at.isoformat(), str(middle.pk)])
    page = reverse("admin:grant_management_grant_change", args=[middle.pk])
    person = reverse("admin:grant_management_grant_person", args=[middle.pk])
    # Of somebody who has a grant to lose.
    living = rows.with_status(GrantStatus.ACTIVE, clock.now()).exclude(subject=None)
    alive = living.order_by("-created_at")[0]
    several = reverse("admin:grant_management_grant_revoke_many", args=[alive.pk])
    people = reverse("admin:grant_management_grant_people")
    find = reverse("admin:grant_management_grant_find")
    client = reverse("admin:grant_management_client_change", args=[middle.client_id])
    lock = reverse("admin:grant_management_client_lock", args=[middle.client_id])
    cut_off = reverse("admin:grant_management_service_cut-off", args=[FIRST_SERVICE])
    service = reverse("admin:grant_management_service_change", args=[FIRST_SERVICE])
    number = int(middle.grant_id[2:])
    token = f"access-{number}"
    event = GrantEvent.objects.filter(service=FIRST_SERVICE, grant_id=middle.grant_id)[0]
    receipt = reverse("admin:grant_management_grantevent_change", args=[event.pk])
    return {
        "grants": listing("grant"),
        "grants: a subject": listing("grant", q="subject-77"),
        "grants: a client": listing("grant", q="client-7"),
        "grants: a grant ID": listing("grant", q=middle.grant_id),
        "grants: revoked": listing("grant", status="revoked"),
        "grants: active": listing("grant", status="active"),
        "grants: cut off, of which there are none": listing("grant", status="cut_off"),
        "grants: an authorization type": listing("grant", authorization_type="payment_initiation"),
        "grants: the next page, in the middle": listing("grant", after=cursor),
        "one grant": (page, None),
        "what a revoke stops": (page.replace("/change/", "/revoke/"), None),
        "revoke by filter, before a moment: check": check(created_before="2025-03-01 00:00:00"),
        "revoke by filter, a client: check": check(client="client-7"),
        "grants: oldest first": listing("grant", sort="created"),
        "grants: expiring within a week": listing("grant", expires_within=7, status="active"),
        "grants: the last 30 days": listing("grant", period="30d"),
        "access tokens": listing("accesstoken"),
        "events": listing("grantevent"),
        "events: of a client": listing("grantevent", q="client-7"),
        "events: of a ticket": listing("grantevent", ticket="T-1"),
        "events: revoked": listing("grantevent", kind="revoked"),
        "clients": listing("client"),
        "clients: a part of a name": listing("client", q="ent-7"),
        "refresh tokens": listing("refreshtoken"),
        "calls": listing("call"),
        "people": (people, None),
        "one person": (person, None),
        "all grants of a person: what a revoke stops": (several, {"these": "all"}),
        "one client": (client, None),
        "one client, 24 hours": (f"{client}?period=24h", None),
        "lock a client: what it stops": (lock, None),
        "cut off a service: what it stops": (cut_off, None),
        "one service": (service, None),
        "a receipt": (receipt, None),
        "search: a subject": (find, {"text": middle.subject}),
        "search: a grant ID": (find, {"text": middle.grant_id}),
        "search: a client ID": (find, {"text": "client-7"}),
        "search: a token": (find, {"text": token}),
        "search: the start of a digest": (find, {"text": sha256(token).hex()[:12]}),
        "search: nothing": (find, {"text": "nothing"}),
        "overview": listing("dailycount"),
        "overview: 24 hours": listing("dailycount", period="24h"),
        "overview: a client, 90 days": listing("dailycount", client="client-7", period="90d"),
    }


if __name__ == "__main__":
    main()
