"""What can happen to a grant, one operation each; on worlds that are alike, so that what came of it
can be compared."""

import io
import json
import secrets
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.test import Client as HTTP

from grant_management import lifecycle
from grant_management.db.ids import uuid7
from grant_management.lifecycle import Issue, LifecycleError
from grant_management.models import (
    AccessToken,
    Actor,
    Client,
    Grant,
    GrantEvent,
    GrantFilter,
    Reason,
    RefreshToken,
    Service,
    Sweep,
)
from grant_management.models.purge import purge
from grant_management.protocol.digests import sha256
from grant_management.tracing import MEMBERS

from ..world import BOTH, make_world, now

_threads = threading.local()


def _http():
    """A client for each thread, since to make one costs more than a call."""
    if not hasattr(_threads, "http"):
        _threads.http = HTTP(raise_request_exception=False)
    return _threads.http


OPERATOR = Actor.operator("alice", 7)
WHY = Reason("regulator", "n", "T-1")


@dataclass
class Scene:
    """A tenant with one grant of a kind, and its tokens by name."""

    kind: str
    world: object = field(default_factory=make_world)
    values: dict = field(default_factory=dict)
    grant: object = None
    yesterday: object = field(default_factory=lambda: now() - timedelta(days=1))
    job: object = field(default_factory=uuid7)

    def __post_init__(self):
        self.grant = getattr(self, f"_{self.kind}")()

    def _active(self):
        """Used already: one refresh token was rotated; another family hangs on it too."""
        grant = self.world.grant(created_at=now() - timedelta(days=3), scopes=OPENID)
        family, endless = uuid7(), {"expires_at": None}
        self._tokens(grant, family)
        self._refresh("other family", grant)
        at = now() - timedelta(days=40)
        gone = {"issued_at": at, "revoked_at": at, "rotated_at": at}
        self._refresh("dead for long", grant, **gone, **endless)
        self._refresh("expired refresh", grant, expires_at=now() - timedelta(hours=1))
        self._access("expired", grant, expires_at=now() - timedelta(hours=1))
        return grant

    def _pending(self):
        """Consented two days ago, and never claimed."""
        self._access("own", None)
        return self.world.grant(created_at=now() - timedelta(days=2), pending=True, scopes=OPENID)

    def _family(self):
        """No grant: refresh tokens that only rotation ties together."""
        self._tokens(None, uuid7())
        return

    def _tokens(self, grant, family):
        self._access("own", grant)
        self._access("client's", None)
        at = now() - timedelta(minutes=1)
        self._refresh("rotated", grant, family=family, revoked_at=at, rotated_at=at)
        self._refresh("live", grant, family=family)

    def _access(self, name, grant, **fields):
        subject = {"subject": None if name == "client's" else "user-1"}
        self.values[name] = self.world.token(grant, **subject | fields)

    def _refresh(self, name, grant, **fields):
        scopes = {"scopes": "openid read", "subject": "user-1"}
        self.values[name] = self.world.refresh_token(grant, **scopes | fields)

    def wanted(self, **which):
        return GrantFilter(Service.objects.get(pk=self.world.service.pk), **which)

    @property
    def grant_id(self):
        return self.grant.grant_id

    def post(self, path, form=None, **members):
        """An answer of the store, less what differs from one run to the next."""
        body = json.dumps(members) if form is None else form
        answer = _http().generic(
            "POST",
            f"/api/{self.world.service.pk}/{path}",
            body,
            "application/x-www-form-urlencoded" if form else "application/json",
            headers={"Authorization": f"Bearer {self.world.api_token}"},
        )
        return answer.status_code, json.loads(answer.content)


OPENID = '[{"scope":"openid read"}]'
WHO = {"clientIdentifier": "app-1", "subject": "user-1"}
_VARIES = (
    *("grantId", "clientId", "tokenId", "resultMessage", "grant_id"),
    *("expiresAt", "expiresIn", "createdAt", "lastUpdatedAt", "revokedAt", "exp", "iat"),
    *("accessToken", "refreshToken", "properties"),
)


def alike(answer):
    """The same for the same outcome; and under `made` the clear values of new tokens."""
    status, members = answer
    made = {name: members[name] for name in ("accessToken", "refreshToken") if name in members}
    said = {name: one for name, one in members.items() if name not in _VARIES}
    return Said({"status": status, **said}, made)


@dataclass
class Said:
    """A result, and tokens that it made: name → value."""

    members: object
    made: dict = field(default_factory=dict)


def issue(scene):
    grant = {} if scene.grant is None else {"grantId": scene.grant_id}
    members = {"grantType": "AUTHORIZATION_CODE", "scopes": BOTH.split(), **WHO, **grant}
    said = alike(scene.post("auth/token/create", **members))
    # A grant that is purged meanwhile was there: it is told as one that is not alive.
    return said if said.members["action"] == "OK" else Said("refused")


def _refreshed(scene, name):
    members = {"clientIdentifier": "app-1", "refreshToken": scene.values[name]}
    return alike(scene.post("tokens/refresh", **members))


def rotate(scene):
    return _refreshed(scene, "live")


def reuse(scene):
    return _refreshed(scene, "rotated")


def reuse_old(scene):
    return _refreshed(scene, "dead for long")


def refresh_too_much(scene):
    members = {"clientIdentifier": "app-1", "refreshToken": scene.values["live"]}
    return alike(scene.post("tokens/refresh", scopes=["admin"], **members))


def merge(scene):
    return alike(scene.post(f"grants/{scene.grant_id}/merge", scopes=[{"scope": "write"}]))


def replace(scene):
    return alike(scene.post(f"grants/{scene.grant_id}/replace", scopes=[{"scope": "less"}]))


def _gm(scene, action, token):
    members = {"gmAction": action, "grantId": scene.grant_id, "accessToken": scene.values[token]}
    return alike(scene.post("auth/gm", **members))


def gm_revoke(scene):
    return _gm(scene, "REVOKE", "own")


def gm_revoke_by_client(scene):
    return _gm(scene, "REVOKE", "client's")


def query(scene):
    return _gm(scene, "QUERY", "own")


def query_by_client(scene):
    return _gm(scene, "QUERY", "client's")


def admin_revoke(scene):
    """What the page's button does: the row was found when the page was asked for."""
    return Said(scene.grant.revoke(OPERATOR, WHY))


def store_revoke(scene):
    return alike(scene.post(f"grants/{scene.grant_id}/revoke", reason="suspected fraud"))


def start_sweep(scene):
    """Of all that came before yesterday: a cut-off, in force at once."""
    Sweep.objects.start(scene.wanted(created_before=scene.yesterday), OPERATOR, WHY)
    return Said("started")


def sweep(scene):
    """A batch of what holds a scope that a replace takes away."""
    return _swept(scene, scene.wanted(scope="read"), None)


def sweep_of_cut_off(scene):
    return _swept(scene, scene.wanted(created_before=scene.yesterday), scene.yesterday)


def _swept(scene, wanted, at):
    keys = [grant.pk for grant in wanted.found()]
    service = wanted.service
    return Said(
        Grant.objects.revoke_all(
            service, keys, at, OPERATOR, WHY, job=scene.job, still=wanted.matches
        )
    )


def tokens_of_client(scene):
    return alike(scene.post("auth/token/revoke", clientIdentifier="app-1"))


def tokens_of_subject(scene):
    return alike(scene.post("auth/token/revoke", subject="user-1"))


def token_by_value(scene):
    return alike(scene.post("auth/token/revoke", refreshTokenIdentifier=scene.values["live"]))


def standard_revoke(scene):
    return alike(scene.post("revoke", form=f"token={scene.values['live']}"))


def standard_revoke_access(scene):
    return alike(scene.post("revoke", form=f"token={scene.values['own']}"))


def standard_revoke_purged(scene):
    """Of a refresh token that a purge takes away."""
    return alike(scene.post("revoke", form=f"token={scene.values['dead for long']}"))


def purge_all(scene):
    service = Service.objects.get(pk=scene.world.service.pk)
    for model in (*MODELS, Grant):
        list(purge(model, service, 10))
    return Said("purged")


def cut_off_service(scene):
    service = Service.objects.get(pk=scene.world.service.pk)
    return Said(service.move_cut_off(OPERATOR, WHY))


def _client(scene):
    return Client.objects.select_related("service").get(pk=scene.world.client.pk)


def cut_off_client(scene):
    return Said(_client(scene).move_cut_off(OPERATOR, WHY))


def lock(scene):
    return alike(scene.post("clients", clientIdentifier="app-1", locked=True))


def unlock(scene):
    return alike(scene.post("clients", clientIdentifier="app-1", locked=False))


def redeem(scene):
    """A code, as a bridge redeems it: of a consent that was given before anything else here."""
    order = Issue(scopes="openid", refresh_token="", consented=scene.grant.access_generation)
    try:
        made = lifecycle.issue(scene.world.client, "user-1", scene.grant, order)
    except LifecycleError as error:
        return Said(error.error)
    return Said("ok", {"accessToken": made.access_token, "refreshToken": made.refresh_token})


def _imported(scene, *records):
    about = {"service": scene.world.service.pk, "client_id": "app-1"}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("".join(json.dumps(record | about) + "\n" for record in records))
        file.flush()
        out = io.StringIO()
        try:
            call_command("import_grants", file.name, "--json", stdout=out, stderr=io.StringIO())
        except Exception as error:  # noqa: BLE001 - the result
            return Said(repr(error).replace(Path(file.name).name, "FILE"))
    return Said(json.loads(out.getvalue()))


def _record(scene, **members):
    return {"type": "grant", "grant_id": scene.grant_id, "subject": "user-1", **members}


def import_active(scene):
    """The grant, active there, with other content; another token of it, and one that is known."""
    value, known = secrets.token_urlsafe(16), []
    grant = _record(scene, scopes=[{"scope": "openid read imported"}], pending=False)
    token = {"type": "refresh_token", "grant_id": scene.grant_id, "subject": "user-1"}
    if "live" in scene.values:
        known = [{**token, "token": scene.values["live"], "scopes": ["openid"]}]
    new = {**token, "token": value, "issued_at": _seconds(-60)}
    said = _imported(scene, grant, *known, new)
    return Said(said.members, {"refreshToken": value})


def import_revoked(scene):
    return _imported(scene, _record(scene, revoked_at=_seconds(-60)))


def _seconds(ahead):
    return int(now().timestamp()) + ahead


def introspect(scene):
    """RFC 7662: an access token."""
    return alike(scene.post("introspect", form=f"token={scene.values['own']}"))


def introspect_refresh(scene):
    return alike(scene.post("introspect", form=f"token={scene.values['live']}"))


def authlete_introspect(scene):
    return alike(scene.post("auth/introspection", token=scene.values["own"]))


def get(scene):
    return alike(scene.post(f"grants/{scene.grant_id}/get"))


def check(scene):
    members = {"grantManagementAction": "merge", "grantId": scene.grant_id}
    return alike(scene.post("grants/check", **WHO, **members))


OF_TOKENS = (
    *(issue, rotate, reuse, refresh_too_much, tokens_of_client, tokens_of_subject),
    *(token_by_value, standard_revoke, standard_revoke_access, purge_all, cut_off_service),
    *(cut_off_client, lock, unlock, introspect, introspect_refresh, authlete_introspect),
)
OPERATIONS = {
    "active": (
        *OF_TOKENS,
        *(
            reuse_old,
            standard_revoke_purged,
            merge,
            replace,
            gm_revoke,
            gm_revoke_by_client,
            query,
            query_by_client,
        ),
        *(admin_revoke, store_revoke, start_sweep, sweep, sweep_of_cut_off, redeem, import_active),
        *(import_revoked, get, check),
    ),
    "pending": (
        *(
            issue,
            redeem,
            merge,
            replace,
            store_revoke,
            admin_revoke,
            start_sweep,
            sweep,
            sweep_of_cut_off,
        ),
        *(purge_all, cut_off_service, cut_off_client, lock, tokens_of_client, import_active),
        *(import_revoked, get, check, query),
    ),
    "family": OF_TOKENS,
}
READERS = (
    *(introspect, introspect_refresh, authlete_introspect, get, check, query, query_by_client),
)


def state(scene, made):
    """All that is there afterwards, less keys and times; `made`: names of new tokens by value."""
    world, moment = scene.world, now()
    known = {value: name for name, value in scene.values.items()}
    names = {sha256(value): name for value, name in {**known, **made}.items()}
    client, grants = _client(scene), Grant.objects.filter(service=world.service)
    return {
        "client": (client.locked_at is not None, client.not_before is not None),
        "service": client.service.not_before is not None,
        "grants": [_grant(grant, moment) for grant in grants.select_related("service", "client")],
        "tokens": sorted(
            (_token(token, names, moment) for model in MODELS for token in _rows(model, world)),
            key=str,
        ),
        "events": sorted(map(_event, GrantEvent.objects.filter(service=world.service)), key=str),
    }


MODELS = (AccessToken, RefreshToken)


def _rows(model, world):
    related = ("service", "client__service", "grant__service", "grant__client")
    return model.objects.filter(service=world.service).select_related(*related)


def _grant(grant, moment):
    generations = (grant.access_generation, grant.refresh_generation)
    held = (grant.scopes, grant.claims, grant.authorization_details, grant.updated_by)
    stamps = (grant.revoked_at is not None, grant.expires_at is not None, grant.pending)
    return grant.status(moment).value, generations, held, stamps


def _token(token, names, moment):
    stamps = (token.revoked_at is not None, getattr(token, "rotated_at", None) is not None)
    status = token.status(moment).name
    return names.get(bytes(token.digest), "?"), status, stamps, token.generation, token.scopes


def _event(event):
    about = (event.client_id, bool(event.grant_id), event.subject, event.reason, bool(event.job))
    details = {
        name: one
        for name, one in event.details.items()
        if name not in ("not_before", "source", "number", "request_id", *MEMBERS)
    }
    by = "" if event.actor_kind == "api_token" else event.actor
    return event.kind, event.actor_kind, by, about, json.dumps(details)
