"""Fills the database of a server with what the document's examples are about, under their names.

In a process of its own: `python -m tests.openapi.filled service` or `organization`, which is the
kind of the API token that examples name. It prints `{"person": …, "digest": …}`.
"""

import json
import os
import sys

NAMED = "01900000-0000-7000-8000-000000000001"
"""What examples have in place of IDs that differ in each run."""
ALL_RIGHTS = "organization-token-of-a-test"
PATHS = {
    "path.serviceId": 1001,
    "path.grantId": "g-path",
    "path.client": "app-path",
    "path.subject": "user-path",
    "path.token": "t-path",
    "path.webhookId": NAMED,
    "path.streamId": NAMED,
    "query.stream_id": NAMED,
    "query.subject": "user-path",
}
"""What parameters name: none of it is what the examples' bodies name."""
DRAFT = "t-draft"
"""The access token of the draft's own endpoint: that of a client that no other operation ends."""
OF_ONE = {
    "queryGrant": {"path.grantId": "g-read"},
    "revokeGrant": {"path.grantId": "g-revoked"},
    "revokeGrantOfDraft": {"path.grantId": "g-draft"},
    "revokeOwnGrant": {"path.grantId": "g-own"},
    "deleteClient": {"path.client": "app-deleted"},
    "deleteToken": {"path.token": "t-deleted"},
}
"""Operations that end what they name, and the draft's endpoint: each with rows of its own."""


def fill(kind):
    """The rows. What differs in each run is returned."""
    from grant_management.models import ApiToken, Client
    from grant_management.models.api_token import RIGHTS
    from grant_management.protocol.digests import sha256

    from ..world import World, now
    from .scene import Scene

    scene = Scene.make()
    organization = scene.service.organization
    common = {"organization": organization, "created_at": now()}
    rights = dict.fromkeys(RIGHTS, True)
    caller = ApiToken.objects.create(digest=sha256(ALL_RIGHTS), prefix="all", **common, **rights)
    of = scene.service if kind == "service" else None
    ApiToken.objects.create(pk=NAMED, digest=sha256("named"), prefix="named", service=of, **common)
    client = Client.objects.create(service=scene.service, client_id="app-path")
    Client.objects.create(service=scene.service, client_id="app-deleted")
    world = World(scene.service, client, "")
    for name in ("path", "revoked", "own"):
        world.grant(grant_id=f"g-{name}", subject="user-path")
    world.token(None, value="t-path")
    world.token(None, value="t-deleted")
    draft = World(scene.service, Client.objects.create(service=scene.service, client_id="d"), "")
    draft.grant(grant_id="g-draft", subject="user-draft")
    draft.token(draft.grant(grant_id="g-read", subject="user-draft"), value=DRAFT)
    _listeners(scene, caller)
    return _of_people(scene, caller)


def _listeners(scene, caller):
    from grant_management.models import Stream, Webhook

    from ..world import BY_TEST

    url = "https://receiver.example/grants"
    Webhook.objects.register(scene.service, BY_TEST, signature="v1", url=url, id=NAMED)
    Stream.objects.register(caller, scene.service, BY_TEST, method="poll", id=NAMED)


def _of_people(scene, caller):
    from datetime import timedelta

    from grant_management.models import SelfServiceToken

    from ..world import now
    from .calls.provisioning import described
    from .calls.self_service import logo

    described(scene)
    began, lives = now() - timedelta(seconds=1), timedelta(minutes=50)
    of = (scene.service, caller, "user-path", "revoke", began, lives)
    return {
        "person": SelfServiceToken.objects.issue(*of)[1],
        "digest": logo(scene)["parameters"]["digest"],
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(json.dumps(fill(sys.argv[1])))
