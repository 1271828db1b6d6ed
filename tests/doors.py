"""Every door of the app that changes something, as acts: what is done there, and what it leaves.

An act is a generator: what stands before its `yield` prepares, what stands behind it is the act.
"""

import base64
import contextlib
import functools
import io
import json
import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client as HTTP
from django.urls import reverse
from PIL import Image

from grant_management import management, urls
from grant_management.api.views import ForeignOperationView
from grant_management.events.delivering import number_waiting
from grant_management.models import (
    Actor,
    ApiToken,
    Description,
    DPoPNonce,
    Grant,
    GrantEvent,
    OrganizationEvent,
    OrganizationMember,
    Reason,
    SavedView,
    Stream,
    StreamDelivery,
    StreamSubject,
    Sweep,
    Webhook,
    WebhookDelivery,
)
from grant_management.models.grant_filter import GrantFilter
from grant_management.protocol.shared_signals import SUPPORTED

from .world import BY_TEST, api_token_of, make_world, now, organization_token

STOCK = ("changelist", "add", "change", "delete", "history")
"""Pages that Django makes for each model; the admin refuses to write there, but for members."""


@dataclass(frozen=True)
class Act:
    """`leaves`: kind, who and (but for services) where, of each event."""

    door: str
    name: str
    leaves: tuple
    do: object

    def __str__(self):
        return f"{self.door}: {self.name}"


ACTS = []
GROUPS = {
    "(?P<service_id>[0-9]{1,19})": "N",
    "(?P<grant_id>[^/]+)": "G",
    "(?P<client>[^/]+)": "C",
    r"(?P<client>[\s\S]+)": "C",
    r"(?:/(?P<subject>[\s\S]+))?": "",
    r"(?P<token>[\s\S]+)": "T",
    "(?P<digest>[0-9a-f]{64})": "D",
    "(?P<webhook_id>[0-9a-f-]{36})": "W",
    "(?P<stream_id>[0-9a-f-]{36})": "S",
    r"[\s\S]*": "...",
}


def act(door, *leaves):
    """Of a door; without `leaves` it writes no event."""

    def take(do):
        ACTS.append(Act(door, do.__name__.replace("_", " "), leaves, do))
        return do

    return take


def discovered():
    """The doors that there are."""
    return {*_api(urls.urlpatterns), *_commands(), *_pages(), *_actions(), "signal user deleted"}


def _api(patterns, prefix=""):
    """The URL patterns as `POST clients`, without what all have in front; operations one by one."""
    for one in patterns:
        text = prefix + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from _api(one.url_patterns, text)
            continue
        if one.callback.view_class is ForeignOperationView:
            yield "url of Authlete's, not here"
            continue
        for group, name in GROUPS.items():
            text = text.replace(group, name)
        path = re.sub(r"\^|\\Z|\(\?:/\)\?|\\", "", text).removeprefix("api/N/")
        if "(?P<kind>" not in path:
            yield f"url {path}"
            continue
        kinds, operations = re.findall(r"\(\?P<\w+>([^)]*)\)", path)
        for kind in kinds.split("|"):
            yield from (f"url {kind}token/{operation}" for operation in operations.split("|"))


def _commands():
    folder = Path(management.__file__).parent / "commands"
    return {f"command {path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"}


def _pages():
    for name in page_names():
        model, _, page = name.partition("_")
        if page not in STOCK or model == "organizationmember":
            yield f"page {model} {page}"


def page_names():
    """Of the admin's pages, without what all names have in front."""
    for part in admin.site.get_urls():
        for pattern in getattr(part, "url_patterns", []):
            if (pattern.name or "").startswith("grant_management_"):
                yield pattern.name.removeprefix("grant_management_")


def _actions():
    """What the lists offer to do with the rows that are ticked."""
    request = type("Request", (), {"user": _Everybody, "GET": {}})()
    for model, one in admin.site._registry.items():
        if model._meta.app_label == "grant_management":
            yield from (
                f"action {model._meta.model_name} {name}" for name in one.get_actions(request)
            )


class _Everybody:
    is_superuser = True
    pk = None

    @staticmethod
    def has_perm(permission, obj=None):
        return True


@dataclass
class Scene:
    """A world, and one of each who may act in it."""

    world: object
    operator: object
    http: object
    manager: str = ""
    by: dict = field(default_factory=dict)

    @classmethod
    def of(cls, world, operator):
        http = HTTP()
        http.force_login(operator)
        scene = cls(world, operator, http)
        scene.manager = organization_token(world, can_manage_tokens=True, can_manage_services=True)
        manager = ApiToken.objects.get(can_manage_tokens=True)
        rights = dict.fromkeys(("can_manage_clients", "can_issue_self_service"), True)
        ApiToken.objects.filter(service=world.service).update(**rights)
        scene.by = {
            "caller": Actor.api_token(ApiToken.objects.get(service=world.service)),
            "manager": Actor.api_token(manager),
            "client": Actor.client("app-1"),
            "person": Actor.subject("user-1"),
            "operator": Actor.operator(operator.get_username(), operator.pk),
            "system": Actor("system", "deletion of the user"),
        }
        return scene

    def api(self, path, members=None, *, api_token=None, method="post", status=200, **more):
        """A call of the API; the answer."""
        token = self.world.api_token if api_token is None else api_token
        headers = {"Authorization": f"Bearer {token}"} | more
        if not path.startswith("/"):
            path = f"/api/{self.world.service.pk}/{path}"
        sent = method == "post"
        data = {"data": members or {}} if sent else {}
        kind = {"content_type": "application/json"} if sent else {}
        response = getattr(HTTP(), method)(path, headers=headers, **data, **kind)
        assert response.status_code == status, response.content
        return json.loads(response.content) if response.content else None

    def form(self, path, text):
        headers = {"Authorization": f"Bearer {self.world.api_token}"}
        url = f"/api/{self.world.service.pk}/{path}"
        kind = "application/x-www-form-urlencoded"
        assert HTTP().post(url, text, content_type=kind, headers=headers).status_code == 200

    def run(self, command, *arguments, fails=False):
        """A command; its name is who acted."""
        self.by[command] = Actor.command(command)
        out, errors = io.StringIO(), io.StringIO()
        try:
            call_command(command, *map(str, arguments), stdout=out, stderr=errors)
        except CommandError:
            assert fails
        else:
            assert not fails
        return out.getvalue()

    def url(self, name, *arguments):
        return reverse(f"admin:grant_management_{name}", args=arguments)

    def page(self, name, /, *arguments, status=302, **data):
        """A form of the admin, sent."""
        response = self.http.post(self.url(name, *arguments), data)
        assert response.status_code == status, response.content
        return response

    def look(self, name, /, *arguments, **data):
        response = self.http.get(self.url(name, *arguments), data)
        assert response.status_code == 200
        getattr(response, "getvalue", lambda: b"")()

    def tokens(self, **members):
        """New ones of the client."""
        who = {"clientIdentifier": "app-1", "subject": "user-1", "scopes": ["read"]}
        return self.api("auth/token/create", {"grantType": "AUTHORIZATION_CODE"} | who | members)

    def gm(self, grant, token, action):
        members = {"gmAction": action, "grantId": grant.grant_id, "accessToken": token}
        return self.api("gm", members)["action"]


SERVICE, ORGANIZATION = "service", "organization"


# The API.


@act("url (?:auth/)?gm")
def query(scene):
    grant = scene.world.grant()
    token = scene.world.token(grant)
    yield
    assert scene.gm(grant, token, "QUERY") == "OK"


@act("url (?:auth/)?gm", ("revoked", "client"))
def revoke(scene):
    grant = scene.world.grant()
    token = scene.world.token(grant)
    yield
    assert scene.gm(grant, token, "REVOKE") == "NO_CONTENT"


@act("url (?:auth/)?gm")
def revoke_again_and_what_is_refused(scene):
    grant = scene.world.grant(revoked_at=now())
    own, weak = scene.world.token(), scene.world.token(scopes="")
    other = scene.world.grant(client=scene.world.client_named("other"))
    yield
    assert scene.gm(grant, own, "REVOKE") == "NOT_FOUND"
    assert scene.gm(other, own, "REVOKE") == "FORBIDDEN"
    assert scene.gm(grant, weak, "REVOKE") == "FORBIDDEN"
    assert scene.gm(grant, "unknown", "REVOKE") == "UNAUTHORIZED"


@act("url gm/N/G")
def get(scene):
    grant = scene.world.grant()
    token = scene.world.token(grant)
    yield
    path = f"/gm/{scene.world.service.pk}/{grant.grant_id}"
    scene.api(path, api_token=token, method="get")
    scene.api(path, api_token="x", method="delete", status=401)


@act("url gm/N/G", ("revoked", "client"))
def delete(scene):
    grant = scene.world.grant()
    token = scene.world.token(grant)
    yield
    path = f"/gm/{scene.world.service.pk}/{grant.grant_id}"
    scene.api(path, api_token=token, method="delete", status=204)


@act("url .well-known/oauth-authorization-server/N")
def metadata(scene):
    yield
    scene.api(f"/.well-known/oauth-authorization-server/{scene.world.service.pk}", method="get")


@act("url of Authlete's, not here")
def what_is_not_done_here(scene):
    yield
    scene.api("auth/authorization", status=404)


@act("url api/...")
def nowhere(scene):
    yield
    scene.api("nowhere", status=404)


def made_by_manager(scene, kind):
    members = {"serviceId": scene.world.service.pk} if kind == SERVICE else {}
    return scene.api(f"/api/{kind}token/create", members, api_token=scene.manager)["tokenId"]


def manage(scene, kind, operation, members, **more):
    path = f"/api/{kind}token/{operation}"
    return scene.api(path, members, api_token=scene.manager, **more)


def act_of_both_kinds(operation, kind_of_event=""):
    """By the one who manages tokens: those of a service, and those of the organization."""

    def take(do):
        for kind in (SERVICE, ORGANIZATION):
            leaves = [(kind_of_event, "manager", kind)] if kind_of_event else []
            made = functools.partial(do, kind=kind)
            made.__name__ = do.__name__
            act(f"url {kind}token/{operation}", *leaves)(made)
        return do

    return take


@act_of_both_kinds("create", "api_token_issued")
def create(scene, *, kind):
    yield
    made_by_manager(scene, kind)


@act_of_both_kinds("create")
def create_without_the_right(scene, *, kind):
    yield
    scene.api(f"/api/{kind}token/create", {"serviceId": scene.world.service.pk}, status=403)


@act_of_both_kinds("all")
def show(scene, *, kind):
    yield
    manage(scene, kind, "all", {})


@act_of_both_kinds("update", "api_token_changed")
def update(scene, *, kind):
    token = made_by_manager(scene, kind)
    yield
    for _ in range(2):
        manage(scene, kind, "update", {"tokenId": token, "description": "CD"})


@act_of_both_kinds("update")
def update_to_the_same(scene, *, kind):
    token = made_by_manager(scene, kind)
    yield
    manage(scene, kind, "update", {"tokenId": token, "description": ""})
    manage(scene, kind, "update", {"tokenId": token})


@act_of_both_kinds("rotate", "api_token_rotated")
def rotate(scene, *, kind):
    token = made_by_manager(scene, kind)
    yield
    manage(scene, kind, "rotate", {"tokenId": token})


@act_of_both_kinds("rotate")
def rotate_what_carries_a_right(scene, *, kind):
    token = str(ApiToken.objects.get(can_manage_tokens=True).pk)
    yield
    status = 404 if kind == SERVICE else 403
    manage(scene, kind, "rotate", {"tokenId": token}, status=status)


@act_of_both_kinds("revoke", "api_token_revoked")
def revoke_by_manager(scene, *, kind):
    token = made_by_manager(scene, kind)
    yield
    manage(scene, kind, "revoke", {"tokenId": token})
    manage(scene, kind, "revoke", {"tokenId": token}, status=404)


@act("url clients", ("client_created", "caller"))
def a_new_client_that_is_locked(scene):
    yield
    scene.api("clients", {"clientIdentifier": "new", "name": "New", "locked": True})


@act("url clients", ("client_changed", "caller"))
def another_name(scene):
    yield
    scene.api("clients", {"clientIdentifier": "app-1", "name": "Other", "locked": False})


@act("url clients", ("client_locked", "caller"))
def another_name_and_a_lock(scene):
    yield
    scene.api("clients", {"clientIdentifier": "app-1", "name": "Other", "locked": True})


@act("url clients", ("client_unlocked", "caller"))
def unlocked(scene):
    scene.api("clients", {"clientIdentifier": "app-1", "locked": True})
    yield
    scene.api("clients", {"clientIdentifier": "app-1", "locked": False})


@act("url clients")
def the_same_client_again_and_what_is_refused(scene):
    other = make_world()
    yield
    scene.api("clients", {"clientIdentifier": "app-1"})
    scene.api("clients", {"clientIdentifier": "app-1", "name": "Budget App", "locked": False})
    scene.api("clients", {"clientIdentifier": "x", "clientId": other.client.pk}, status=400)
    scene.api("clients", {"clientIdentifier": "app-1", "clientId": 5, "name": "x"}, status=400)


GRANT = {"clientIdentifier": "app-1", "subject": "user-1", "scopes": [{"scope": "read"}]}


@act("url grants", ("created", "caller"))
def a_new_grant(scene):
    yield
    scene.api("grants", GRANT)


@act("url grants", ("created", "caller"))
def a_new_grant_sent_twice_with_its_key(scene):
    yield
    for _ in range(2):
        scene.api("grants", GRANT, **{"Idempotency-Key": "k"})


@act("url grants")
def no_grant(scene):
    yield
    scene.api("grants", {"clientIdentifier": "nobody", "subject": "user-1"}, status=400)


@act("url grants/check")
def check(scene):
    yield
    scene.api("grants/check", {"clientIdentifier": "app-1", "grantManagementAction": "create"})


@act("url grants/list")
def list_them(scene):
    yield
    scene.api("grants/list", {"subject": "user-1"})


@act("url grants/G/get")
def show_one(scene):
    grant = scene.world.grant()
    yield
    scene.api(f"grants/{grant.grant_id}/get")


@act("url grants/G/merge", ("merged", "caller"))
def merge(scene):
    grant = scene.world.grant()
    yield
    scene.api(f"grants/{grant.grant_id}/merge", {"scopes": [{"scope": "write"}]})


@act("url grants/G/replace", ("replaced", "caller"))
def replace(scene):
    grant = scene.world.grant()
    yield
    scene.api(f"grants/{grant.grant_id}/replace", {"scopes": [{"scope": "write"}]})


@act("url grants/G/merge")
@act("url grants/G/replace")
def of_a_dead_grant(scene):
    grant = scene.world.grant(revoked_at=now())
    yield
    for action in ("merge", "replace"):
        scene.api(f"grants/{grant.grant_id}/{action}", {"scopes": [{"scope": "x"}]}, status=400)


@act("url grants/G/revoke", ("revoked", "caller"))
def revoked_by_api(scene):
    grant = scene.world.grant()
    yield
    scene.api(f"grants/{grant.grant_id}/revoke")


@act("url grants/G/revoke")
def revoked_before(scene):
    grant = scene.world.grant(revoked_at=now())
    yield
    scene.api(f"grants/{grant.grant_id}/revoke")
    scene.api("grants/unknown/revoke", status=404)


@act("url auth/token/create")
def issue(scene):
    grant = scene.world.grant(pending=True)
    yield
    assert scene.tokens(grantId=grant.grant_id)["action"] == "OK"


@act("url tokens/refresh")
def refresh(scene):
    value = scene.tokens()["refreshToken"]
    yield
    scene.api("tokens/refresh", {"clientIdentifier": "app-1", "refreshToken": value})


@act("url tokens/refresh", ("refresh_reused", "client"))
def refresh_again(scene):
    members = {"clientIdentifier": "app-1", "refreshToken": scene.tokens()["refreshToken"]}
    scene.api("tokens/refresh", members)
    yield
    for _ in range(3):
        scene.api("tokens/refresh", members, status=400)


@act("url auth/token/revoke", ("tokens_revoked", "caller"))
def revoke_many_tokens(scene):
    for _ in range(3):
        scene.tokens()
    yield
    assert scene.api("auth/token/revoke", {"subject": "user-1"})["count"] == 6


@act("url auth/token/revoke")
def revoke_no_tokens(scene):
    yield
    assert scene.api("auth/token/revoke", {"subject": "nobody"})["count"] == 0


@act("url revoke", ("tokens_revoked", "caller"))
def revoke_a_token(scene):
    value = scene.tokens()["refreshToken"]
    yield
    scene.form("revoke", f"token={value}")
    scene.form("revoke", f"token={value}")
    scene.form("revoke", "token=unknown")


@act("url introspect")
def introspect_by_the_rfc(scene):
    yield
    scene.form("introspect", f"token={scene.world.token()}")


@act("url auth/introspection")
def introspect(scene):
    yield
    scene.api("auth/introspection", {"token": scene.world.token()})


# Authlete's management operations.


def of_service(scene, operation, members=None, **more):
    return scene.api(f"service/{operation}", members, api_token=scene.manager, **more)


@act("url api/service/create", ("service_created", "manager"))
def a_new_service(scene):
    yield
    members = {"serviceName": "New", "accessTokenDuration": 0}
    made = scene.api("/api/service/create", members, api_token=scene.manager)
    assert made["accessTokenDuration"] == 3_600
    scene.api("/api/service/create", members, status=403)


@act("url service/update", ("settings_changed", "manager"))
def other_settings(scene):
    yield
    for _ in range(2):
        of_service(scene, "update", {"serviceName": "Other", "dpopNonceDuration": 0})
    scene.api("service/update", {"serviceName": "Mine"}, status=403)


@act("url service/delete", ("service_deleted", "manager"))
def delete_a_service(scene):
    yield
    of_service(scene, "delete", method="delete", status=204)
    of_service(scene, "delete", method="delete", status=403)


@act("url api/service/get/list")
@act("url service/get")
def look_at_services(scene):
    yield
    scene.api("/api/service/get/list", api_token=scene.manager, method="get")
    of_service(scene, "get", method="get")


@act("url client/create", ("client_created", "caller"))
def a_new_client_in_authletes_shape(scene):
    yield
    for status in (200, 400):
        scene.api("client/create", {"clientIdAlias": "new", "clientName": "New"}, status=status)


@act("url client/update/C", ("client_locked", "caller"))
def another_lock_in_authletes_shape(scene):
    yield
    for _ in range(2):
        scene.api("client/update/app-1", {"clientName": "Other", "locked": True})
    scene.api("client/update/app-1", {"clientIdAlias": "app-2"}, status=400)


@act("url client/delete/C", ("client_deleted", "caller"))
def delete_a_client(scene):
    yield
    scene.api("client/delete/app-1", method="delete", status=204)
    scene.api("client/delete/app-1", method="delete", status=404)
    scene.api("clients", {"clientIdentifier": "app-1", "locked": False}, status=400)


@act("url client/get/list")
@act("url client/get/C")
@act("url client/authorization/get/list")
@act("url client/granted_scopes/get/C")
@act("url auth/token/get/list")
@act("url auth/introspection/standard")
def look_at_clients(scene):
    scene.world.grant()
    yield
    for path in ("client/get/list", "client/get/app-1", "auth/token/get/list"):
        scene.api(path, method="get")
    scene.api("client/authorization/get/list/user-1", method="get")
    scene.api("client/granted_scopes/get/app-1", {"subject": "user-1"})
    scene.api("auth/introspection/standard", {"parameters": "token=x"})


@act("url auth/token/update", ("token_changed", "caller"))
def change_a_token(scene):
    value = scene.world.token()
    yield
    for _ in range(2):
        scene.api("auth/token/update", {"accessToken": value, "scopes": ["read"]})


@act("url auth/token/update")
def change_no_token(scene):
    dead = scene.world.token(revoked_at=now())
    yield
    for value in ("unknown", dead):
        answer = scene.api("auth/token/update", {"accessToken": value, "scopes": ["read"]})
        assert answer["action"] == "NOT_FOUND"


@act("url auth/token/delete/T", ("tokens_revoked", "caller"))
def delete_a_token(scene):
    value = scene.world.token()
    yield
    for _ in range(2):
        scene.api(f"auth/token/delete/{value}", method="delete", status=204)


@act("url client/authorization/delete/C", ("revoked", "caller"), ("tokens_revoked", "caller"))
def delete_an_authorization(scene):
    scene.world.token(scene.world.grant())
    yield
    for _ in range(2):
        scene.api("client/authorization/delete/app-1/user-1", method="delete")


@act("url client/granted_scopes/delete/C", ("revoked", "caller"))
def delete_granted_scopes(scene):
    scene.world.token(scene.world.grant())
    yield
    for _ in range(2):
        scene.api("client/granted_scopes/delete/app-1", {"subject": "user-1"})


# Plain words and self-service.


WORDS = {"scope": "read", "texts": [{"language": "en", "name": "Read"}]}
PROFILE = {"clientIdentifier": "app-1", "texts": [{"language": "en", "name": "Budget"}]}


def describe(scene, operation="", **members):
    path = f"descriptions/{operation}" if operation else "descriptions"
    status = members.pop("status", 200)
    return scene.api(path, members, api_token=scene.manager, status=status)


@act("url descriptions", ("description_changed", "manager"))
def describe_a_scope(scene):
    yield
    for _ in range(2):
        describe(scene, **WORDS)
    scene.api("descriptions", WORDS, status=403)


@act("url descriptions/delete", ("description_changed", "manager"))
def delete_a_description(scene):
    describe(scene, **WORDS)
    yield
    for status in (200, 404):
        describe(scene, "delete", scope="read", status=status)


@act("url descriptions/get")
@act("url descriptions/list")
@act("url clients/profile/get")
def look_at_words(scene):
    describe(scene, **WORDS)
    yield
    describe(scene, "get", scope="read")
    describe(scene, "list")
    scene.api("clients/profile/get", {"clientIdentifier": "app-1"})


@act("url clients/profile", ("client_changed", "caller"))
def what_people_are_told_of_a_client(scene):
    yield
    for _ in range(2):
        scene.api("clients/profile", PROFILE | {"logo": logo_in_base64()})


def logo_in_base64():
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def self_service_token(scene, **members):
    return scene.api("self_service/token", {"subject": "user-1"} | members)["token"]


@act("url self_service/token")
def a_token_for_a_person(scene):
    yield
    self_service_token(scene)


@act("url self/N/grants")
@act("url self/N/logos/D")
def a_person_looks(scene):
    scene.world.grant()
    scene.api("clients/profile", PROFILE | {"logo": logo_in_base64()})
    token, number = self_service_token(scene), scene.world.service.pk
    yield
    answer = scene.api(f"/self/{number}/grants", api_token=token, method="get")
    assert HTTP().get(answer["grants"][0]["client"]["logo"]).status_code == 200


@act("url self/N/grants/G", ("revoked", "person"))
def a_person_removes_a_grant(scene):
    path = f"/self/{scene.world.service.pk}/grants/{scene.world.grant().grant_id}"
    viewing, revoking = self_service_token(scene), self_service_token(scene, access="revoke")
    yield
    scene.api(path, api_token=viewing, method="get")
    scene.api(path, api_token=viewing, method="delete", status=403)
    for _ in range(2):
        scene.api(path, api_token=revoking, method="delete", status=204)


# The commands.


@act("command create_organization", ("organization_created", "create_organization", ORGANIZATION))
def create_organization(scene):
    yield
    scene.run("create_organization", "Example Bank", "--id", 5)
    scene.run("create_organization", "Example Bank", "--id", 5, fails=True)


@act("command create_service", ("service_created", "create_service"))
def create_service(scene):
    number = scene.world.service.organization_id
    yield
    scene.run("create_service", "--organization", number, "--name", "x", "--id", 5)
    scene.run("create_service", "--organization", number, "--name", "x", "--id", 5, fails=True)


@act("command issue_api_token", ("api_token_issued", "issue_api_token"))
def issue_of_service(scene):
    yield
    scene.run("issue_api_token", "--service", scene.world.service.pk)


@act("command issue_api_token", ("api_token_issued", "issue_api_token", ORGANIZATION))
def issue_of_organization(scene):
    yield
    scene.run("issue_api_token", "--organization", scene.world.service.organization_id)


@act("command revoke_api_token", ("api_token_revoked", "revoke_api_token"))
def revoke_api_token(scene):
    token = ApiToken.objects.get(service=scene.world.service)
    yield
    for _ in range(2):
        scene.run("revoke_api_token", token.pk)


@act("command lock_client", ("client_locked", "lock_client"))
def lock_client(scene):
    yield
    for _ in range(2):
        scene.run("lock_client", "--service", scene.world.service.pk, "--client", "app-1")


@act("command unlock_client", ("client_unlocked", "unlock_client"))
def unlock_client(scene):
    scene.world.client.lock(BY_TEST, Reason(""))
    yield
    for _ in range(2):
        scene.run("unlock_client", "--service", scene.world.service.pk, "--client", "app-1")


@act("command set_cut_off", ("cut_off", "set_cut_off"))
def set_cut_off(scene):
    yield
    scene.run("set_cut_off", "--service", scene.world.service.pk)
    scene.run("set_cut_off", "--service", 5, fails=True)


REVOKED_BY_FILTER = (
    ("revoked", "revoke_grants"),
    ("revoked", "revoke_grants"),
    ("job_finished", "revoke_grants"),
)


@act("command revoke_grants", ("job_started", "revoke_grants"), *REVOKED_BY_FILTER)
def revoke_grants(scene):
    for _ in range(2):
        scene.world.grant()
    service = ("--service", scene.world.service.pk)
    yield
    scene.run("revoke_grants", *service, "--subject", "user-1", "--dry-run")
    scene.run("revoke_grants", *service, "--subject", "user-1")


@act("command revoke_grants", ("cut_off", "revoke_grants"), *REVOKED_BY_FILTER)
def revoke_grants_by_a_cut_off(scene):
    for _ in range(2):
        scene.world.grant()
    before = ("--created-before", now().isoformat())
    yield
    scene.run("revoke_grants", "--service", scene.world.service.pk, *before)


@act("command revoke_grants", ("job_resumed", "revoke_grants"), *REVOKED_BY_FILTER)
def resume_by_command(scene):
    for _ in range(2):
        scene.world.grant()
    sweep = left_sweep(scene)
    sweep.pause(BY_TEST)
    yield
    scene.run("revoke_grants", "--resume", sweep.pk)
    scene.run("revoke_grants", "--resume", sweep.pk, fails=True)


@act("command purge_expired")
def purge(scene):
    scene.world.token(expires_at=now() - 2 * (now() - scene.world.grant().created_at))
    yield
    assert "1 accesstoken" in scene.run("purge_expired")


@act("command export_grants")
def export(scene):
    yield
    assert '"type":"end"' in scene.run("export_grants")


@act("command doctor")
def diagnose(scene):
    """It looks and says; what it says is tested elsewhere."""
    yield
    with contextlib.suppress(CommandError, SystemExit):
        scene.run("doctor")


@act("command distribute")
def distribute(scene):
    """No cluster here: it refuses, which is tested elsewhere with functions that stand in."""
    yield
    scene.run("distribute", "--yes", fails=True)


@act(
    "command import_grants",
    ("imported", "import_grants"),
    ("imported", "import_grants", ORGANIZATION),
)
def import_records(scene, tmp_path):
    records = [
        {"type": "organization", "id": 1, "name": "Example Bank"},
        {"type": "service", "id": 1001, "organization": 1, "name": "Retail"},
        {"type": "api_token", "kind": "organization", "organization": 1, "token": "x"},
        {"type": "client", "service": 1001, "client_id": "app-1", "locked_at": 1764000000},
        {"type": "grant", "service": 1001, "client_id": "app-1", "grant_id": "g-1"},
        {"type": "end", "records": 5},
    ]
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    yield
    scene.run("import_grants", path)


# The admin.


@act("page grant revoke", ("revoked", "operator"))
def revoke_by_hand(scene):
    grant = scene.world.grant()
    yield
    for _ in range(2):
        scene.page("grant_revoke", grant.pk, reason="other")
    scene.page("grant_revoke", grant.pk, status=200)


@act("page grant revoke_many", *[("revoked", "operator")] * 2)
@act("page grant receipt", *[("revoked", "operator")] * 2)
@act("page grant receipt_file", *[("revoked", "operator")] * 2)
def revoke_two_by_hand(scene):
    grants = [scene.world.grant() for _ in range(2)]
    keys = [grant.pk for grant in grants]
    sent = {"grant": keys, "confirmed": "1", "reason": "other"}
    yield
    scene.page("grant_revoke_many", keys[0], status=200, these="all")
    receipt = scene.page("grant_revoke_many", keys[0], **sent).url
    scene.page("grant_revoke_many", keys[0], **sent)
    for address in (receipt, f"{receipt}receipt.json"):
        assert scene.http.get(address).status_code == 200


@act("page client lock", ("client_locked", "operator"))
def lock_by_hand(scene):
    yield
    for _ in range(2):
        scene.page("client_lock", scene.world.client.pk, reason="other")


@act("page client unlock", ("client_unlocked", "operator"))
def unlock_by_hand(scene):
    scene.world.client.lock(BY_TEST, Reason(""))
    yield
    for _ in range(2):
        scene.page("client_unlock", scene.world.client.pk, reason="other")


@act("page client cut-off", ("cut_off", "operator"))
def cut_off_a_client(scene):
    yield
    scene.page("client_cut-off", scene.world.client.pk, reason="other")


@act("page service cut-off", ("cut_off", "operator"))
def cut_off_a_service(scene):
    yield
    scene.page("service_cut-off", scene.world.service.pk, reason="other")


@act("page dpopnonce expire", ("nonce_expired", "operator"))
def expire_a_nonce(scene):
    DPoPNonce.objects.at(scene.world.service, now())
    nonce = DPoPNonce.objects.get()
    yield
    scene.page("dpopnonce_expire", nonce.pk, reason="other")
    scene.page("dpopnonce_expire", nonce.pk, reason="other", status=404)


@act("page service settings", ("settings_changed", "operator"))
def change_settings(scene):
    url = scene.url("service_settings", scene.world.service.pk)
    form = scene.http.get(url).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    data = {name: one for name, one in data.items() if one is not False} | {"reason": "other"}
    yield
    for _ in range(2):
        scene.page("service_settings", scene.world.service.pk, **data | {"name": "Other"})


def texts_form(**texts):
    return {f"{name}_0": text for name, text in texts.items()} | {"reason": "other"}


@act("page description describe", ("description_changed", "operator"))
def describe_by_hand(scene):
    data = {"service": scene.world.service.pk, "kind": "scope", "name": "read"}
    data |= {"sensitivity": "low"} | texts_form(language="en", name="Read")
    yield
    scene.page("description_describe", status=200, **data | {"name": "a b"})
    for _ in range(2):
        scene.page("description_describe", **data)


@act("page description edit", ("description_changed", "operator"))
def change_a_description(scene):
    describe(scene, **WORDS)
    key = Description.objects.get().pk
    yield
    for _ in range(2):
        data = {"sensitivity": "high"} | texts_form(language="de", name="Lesen")
        scene.page("description_edit", key, **data)


@act("page description remove", ("description_changed", "operator"))
def delete_a_description_by_hand(scene):
    describe(scene, **WORDS)
    key = Description.objects.get().pk
    yield
    scene.page("description_remove", key, status=200)
    scene.page("description_remove", key, reason="other")
    scene.page("description_remove", key, reason="other", status=404)


@act("page clientprofile describe", ("client_changed", "operator"))
@act("page clientprofile edit", ("client_changed", "operator"))
@act("page clientprofile logo", ("client_changed", "operator"))
def a_profile_by_hand(scene):
    key, service = scene.world.client.pk, scene.world.service.pk
    data = texts_form(language="en", name="Budget")
    yield
    for client_id, status in (("nobody", 200), ("app-1", 302)):
        new = {"service": service, "client_id": client_id, "logo_file": logo_file()}
        scene.page("clientprofile_describe", status=status, **data | new)
    scene.page("clientprofile_edit", key, **data)
    assert scene.http.get(scene.url("clientprofile_logo", key))["Content-Type"] == "image/png"


def logo_file():
    return SimpleUploadedFile("logo.png", base64.b64decode(logo_in_base64()))


@act("page apitoken issue", ("api_token_issued", "operator"))
def issue_by_hand(scene):
    service = scene.world.service
    data = {"organization": service.organization_id, "service": service.pk, "once": "x"}
    yield
    scene.page("apitoken_issue", status=200, **data)
    scene.page("apitoken_issue", **data)


@act("page apitoken rotate", ("api_token_rotated", "operator", ORGANIZATION))
def rotate_by_hand(scene):
    token = ApiToken.objects.get(can_manage_tokens=True).pk
    yield
    scene.page("apitoken_rotate", token, once="x", status=200)
    scene.page("apitoken_rotate", token, once="x", reason="other", status=200)
    scene.page("apitoken_rotate", token, once="x", reason="other")


@act("page apitoken revoke", ("api_token_revoked", "operator"))
def revoke_a_token_by_hand(scene):
    token = ApiToken.objects.get(service=scene.world.service).pk
    yield
    scene.page("apitoken_revoke", token, status=200)
    for _ in range(2):
        scene.page("apitoken_revoke", token, reason="other")


def somebody(scene, name="bob"):
    return type(scene.operator)._default_manager.create_user(name)


def member_of(scene, organization, name="bob"):
    member = OrganizationMember(user_id=somebody(scene, name).pk, organization_id=organization)
    member.save()
    return member


@act("page organizationmember add", ("member_added", "operator", ORGANIZATION))
def add_a_member(scene):
    data = {"user": somebody(scene).pk, "organization": scene.world.service.organization_id}
    yield
    scene.page("organizationmember_add", **data)
    scene.page("organizationmember_add", status=200, **data)


@act("page organizationmember add", ("member_added", "operator", ORGANIZATION))
def add_a_member_of_all(scene):
    data = {"user": somebody(scene).pk}
    yield
    scene.page("organizationmember_add", status=200, **data)
    scene.page("organizationmember_add", all_organizations="on", **data)


@act("page organization create", ("organization_created", "operator", ORGANIZATION))
def create_an_organization_by_hand(scene):
    yield
    scene.page("organization_create", status=200)
    scene.page("organization_create", name="Another Bank")


@act("page organization edit", ("organization_changed", "operator", ORGANIZATION))
def rename_an_organization(scene):
    number = scene.world.service.organization_id
    yield
    for _ in range(2):
        scene.page("organization_edit", number, name="Other")


@act("page organization first_run")
@act("page organization arrived")
def look_at_the_first_steps(scene):
    yield
    scene.look("organization_first_run")
    scene.look("organization_arrived")


@act("page service create", ("service_created", "operator"))
def create_a_service_by_hand(scene):
    data = {"organization": scene.world.service.organization_id, "call_log_size": 0}
    yield
    scene.page("service_create", status=200, **data)
    scene.page("service_create", name="Another", **data)


@act("page client create", ("client_created", "operator"))
def create_a_client_by_hand(scene):
    data = {"service": scene.world.service.pk, "client_id": "app-2"}
    yield
    scene.page("client_create", **data)
    scene.page("client_create", status=200, **data)


@act("page client edit", ("client_changed", "operator"))
def rename_a_client(scene):
    yield
    for _ in range(2):
        scene.page("client_edit", scene.world.client.pk, name="Other")


@act(
    "page organizationmember operator_create",
    ("operator_created", "operator", ORGANIZATION),
    ("member_added", "operator", ORGANIZATION),
)
def create_an_operator(scene):
    data = {"username": "carl", "password": "correct horse", "again": "correct horse"}
    data |= {"organizations": scene.world.service.organization_id}
    yield
    scene.page("organizationmember_operator_create", **data)
    scene.page("organizationmember_operator_create", status=200, **data)


@act(
    "page organizationmember operator_edit",
    ("operator_changed", "operator", ORGANIZATION),
    ("member_removed", "operator", ORGANIZATION),
)
def change_an_operator(scene):
    member = member_of(scene, scene.world.service.organization_id)
    users = type(scene.operator)._default_manager
    users.filter(pk=member.user_id).update(is_staff=True)
    yield
    for _ in range(2):
        scene.page("organizationmember_operator_edit", member.user_id, note="away")


@act("page operatorpreference utc")
def choose_a_time_zone(scene):
    yield
    scene.page("operatorpreference_changelist", time_zone="Asia/Tokyo")
    scene.page("operatorpreference_utc", status=200, at="2026-01-31")


@act("page organizationmember delete", ("member_removed", "operator", ORGANIZATION))
def remove_a_member(scene):
    member = member_of(scene, scene.world.service.organization_id)
    yield
    for _ in range(2):
        scene.page("organizationmember_delete", member.pk, post="yes")


@act("page organizationmember change")
def change_a_member(scene):
    member = member_of(scene, scene.world.service.organization_id)
    yield
    scene.look("organizationmember_change", member.pk)
    scene.page("organizationmember_change", member.pk, user=member.user_id, status=403)


@act("page organizationmember changelist")
@act("page organizationmember history")
def look_at_members(scene):
    member = member_of(scene, scene.world.service.organization_id)
    yield
    scene.look("organizationmember_changelist")
    scene.look("organizationmember_history", member.pk)


@act(
    "action organizationmember delete_selected",
    ("member_removed", "operator", ORGANIZATION),
    ("member_removed", "operator", ORGANIZATION),
)
def remove_many_members(scene):
    members = [member_of(scene, None), member_of(scene, scene.world.service.organization_id, "eve")]
    yield
    keys = {"_selected_action": [one.pk for one in members]}
    scene.page("organizationmember_changelist", action="delete_selected", post="yes", **keys)


@act("signal user deleted", *[("member_removed", "system", ORGANIZATION)] * 2)
def delete_a_user(scene):
    bob = somebody(scene)
    for organization in (None, scene.world.service.organization_id):
        OrganizationMember(user_id=bob.pk, organization_id=organization).save()
    somebody(scene, "eve")
    yield
    bob.delete()
    type(bob)._default_manager.filter(username="eve").delete()


def left_sweep(scene):
    wanted = GrantFilter(scene.world.service, subject="user-1")
    return Sweep.objects.start(wanted, BY_TEST, Reason("other"))


@act("page sweep check", ("job_started", "operator"))
def start_a_sweep(scene):
    for _ in range(11):  # for fewer nothing has to be typed
        scene.world.grant()
    data = {"service": scene.world.service.pk, "subject": "user-1"}
    data |= {"typed": "11", "reason": "other"}
    number = str(uuid.uuid4())
    yield
    scene.page("sweep_check", status=200, sweep=number, **data | {"typed": "2"})
    for _ in range(2):
        scene.page("sweep_check", sweep=number, **data)


@act("page sweep pause", ("job_paused", "operator"))
def pause_a_sweep(scene):
    sweep = left_sweep(scene)
    yield
    for _ in range(2):
        scene.page("sweep_pause", sweep.pk)


@act("page sweep resume", ("job_resumed", "operator"))
def resume_a_sweep(scene):
    sweep = left_sweep(scene)
    sweep.pause(BY_TEST)
    yield
    for _ in range(2):
        scene.page("sweep_resume", sweep.pk)


@act("page sweep start")
@act("page sweep progress")
@act("page sweep report.csv")
@act("page sweep report.json")
def watch_a_sweep(scene):
    sweep = left_sweep(scene)
    yield
    scene.look("sweep_start")
    for page in ("progress", "report.csv", "report.json"):
        scene.look(f"sweep_{page}", sweep.pk)


# Webhooks.


IN_NO_EVENT = "what-only-the-receiver-knows"
RECEIVER = f"https://receiver.example/hooks?token={IN_NO_EVENT}"


def webhook_of(scene, **fields):
    """A webhook of the service, and an API token that may manage it."""
    made, _secret = Webhook.objects.register(
        scene.world.service, BY_TEST, signature="v1", url=RECEIVER, **fields
    )
    return made


def webhooks(scene, path, members=None, **more):
    token = api_token_of(
        organization=scene.world.service.organization,
        service=scene.world.service,
        can_manage_webhooks=True,
    )
    scene.by["hooks"] = Actor.api_token(ApiToken.objects.get(can_manage_webhooks=True))
    return scene.api(path, members, api_token=token, **more)


@act("url webhooks", ("webhook_created", "hooks"))
def a_new_webhook(scene):
    yield
    made = webhooks(scene, "webhooks", {"url": RECEIVER})
    assert made["secret"].startswith("whsec_")


@act("url webhooks")
@act("url webhooks/list")
def webhooks_without_the_right(scene):
    yield
    scene.api("webhooks", {"url": RECEIVER}, status=403)
    scene.api("webhooks/list", status=403)


@act("url webhooks/list")
@act("url webhooks/W/get")
@act("url webhooks/W/deliveries")
def look_at_webhooks(scene):
    hook = webhook_of(scene)
    yield
    assert len(webhooks(scene, "webhooks/list")["webhooks"]) == 1
    token = ApiToken.objects.filter(can_manage_webhooks=True)
    token.delete()
    assert "secret" not in webhooks(scene, f"webhooks/{hook.pk}/get")
    token.delete()
    assert webhooks(scene, f"webhooks/{hook.pk}/deliveries")["deliveries"] == []


@act("url webhooks/W/update", ("webhook_changed", "hooks"))
def disable_a_webhook(scene):
    hook = webhook_of(scene)
    yield
    assert not webhooks(scene, f"webhooks/{hook.pk}/update", {"enabled": False})["enabled"]


@act("url webhooks/W/update", ("webhook_changed", "hooks"))
def move_a_webhook(scene):
    hook = webhook_of(scene)
    yield
    webhooks(scene, f"webhooks/{hook.pk}/update", {"url": f"{RECEIVER}&more"})
    assert GrantEvent.objects.get(kind="webhook_changed").details["changed"] == ["url"]


@act("url webhooks/W/update")
def update_a_webhook_to_the_same(scene):
    hook = webhook_of(scene)
    yield
    webhooks(scene, f"webhooks/{hook.pk}/update", {"url": hook.url, "enabled": True})


@act("url webhooks/W/delete", ("webhook_deleted", "hooks"))
def delete_a_webhook(scene):
    hook = webhook_of(scene)
    yield
    webhooks(scene, f"webhooks/{hook.pk}/delete")


@act("url webhooks/W/rotate", ("webhook_key_rotated", "hooks"))
def rotate_a_webhooks_key(scene):
    hook = webhook_of(scene)
    yield
    webhooks(scene, f"webhooks/{hook.pk}/rotate", {"signature": "v1a"})


@act("url webhooks/W/test", ("webhook_tested", "hooks"))
def test_a_webhook(scene):
    hook = webhook_of(scene)
    yield
    webhooks(scene, f"webhooks/{hook.pk}/test")


@act("url webhooks/W/replay", ("webhook_replayed", "hooks"))
def replay_a_span(scene):
    hook = webhook_of(scene)
    yield
    webhooks(scene, f"webhooks/{hook.pk}/replay", {"from": 0})


@act("page webhook register", ("webhook_created", "operator"))
def register_on_the_page(scene):
    data = {"service": scene.world.service.pk, "url": RECEIVER}
    yield
    for once in ("a", "a"):
        sent = data | {"signature": "v1", "once": once}
        scene.http.post(scene.url("webhook_register"), sent)


@act("page webhook rotate", ("webhook_key_rotated", "operator"))
def rotate_on_the_page(scene):
    hook = webhook_of(scene)
    yield
    data = {"reason": "compromised key", "signature": "v1a", "once": "b"}
    scene.page("webhook_rotate", hook.pk, status=200, **data)


@act("page webhook edit", ("webhook_changed", "operator"))
def edit_on_the_page(scene):
    hook = webhook_of(scene)
    yield
    for _ in range(2):
        scene.page("webhook_edit", hook.pk, reason="other", url=f"{RECEIVER}&more")


@act("page webhook replay", ("webhook_replayed", "operator"))
def send_a_span_again_on_the_page(scene):
    hook = webhook_of(scene)
    yield
    scene.page("webhook_replay", hook.pk, reason="other", first="2026-01-01")


@act("page webhook test", ("webhook_tested", "operator"))
def test_on_the_page(scene):
    hook = webhook_of(scene)
    yield
    scene.page("webhook_test", hook.pk, reason="other")


@act("page webhook disable", ("webhook_changed", "operator"))
def disable_on_the_page(scene):
    hook = webhook_of(scene)
    yield
    for _ in range(2):
        scene.page("webhook_disable", hook.pk, reason="other")


@act("page webhook enable", ("webhook_changed", "operator"))
def enable_on_the_page(scene):
    hook = webhook_of(scene)
    hook.change(BY_TEST, enabled=False)
    yield
    for _ in range(2):
        scene.page("webhook_enable", hook.pk, reason="other")


@act("page webhook remove", ("webhook_deleted", "operator"))
def remove_on_the_page(scene):
    hook = webhook_of(scene)
    yield
    scene.page("webhook_remove", hook.pk, reason="other")


@act("page webhookdelivery replay", ("webhook_replayed", "operator"))
def send_again_on_the_page(scene):
    hook = webhook_of(scene)
    WebhookDelivery.objects.test(hook, BY_TEST)
    number_waiting()
    WebhookDelivery.objects.update(due_at=None, dead_at=now())
    row = WebhookDelivery.objects.get(type="webhook.tested")
    yield
    for _ in range(2):
        scene.page("webhookdelivery_replay", row.pk, reason="other")


@act("command deliver_events")
def deliver(scene):
    webhook_of(scene, event_types=["client.locked"])
    yield
    scene.run("deliver_events", "--once")


@act("command publish_events", ("settings_changed", "publish_events"))
def publish(scene):
    yield
    for _ in range(2):
        scene.run("publish_events", "--service", scene.world.service.pk)


@act("command verify_events")
@act("command export_event_head")
def look_at_a_chain(scene):
    number = scene.world.service.pk
    scene.run("publish_events", "--service", number)
    yield
    scene.run("verify_events")
    scene.run("verify_events", "--service", number)
    scene.run("export_event_head", "--service", number, fails=True)  # there is no key


@act("command export_events")
def export_the_stream(scene):
    scene.world.service.change({"publishes_events": True}, BY_TEST, Reason(""))
    yield
    assert "service.changed" in scene.run("export_events", "--service", scene.world.service.pk)


@act("command export_events")
def export_what_is_not_published(scene):
    yield
    scene.run("export_events", "--service", scene.world.service.pk, fails=True)


@act("url events")
def read_the_stream(scene):
    service = scene.world.service
    service.change({"publishes_events": True}, BY_TEST, Reason(""))
    may = {"organization": service.organization, "service": service, "can_read_events": True}
    token = api_token_of(**may)
    number_waiting()
    yield
    assert len(scene.api("events", api_token=token, method="get")["events"]) == 1
    scene.api("events", method="get", status=403)


@act("page service what_if")
def what_if(scene):
    grant = scene.world.grant()
    data = {"gm_action": "REVOKE", "grant_id": grant.grant_id}
    data["access_token"] = scene.world.token(grant)
    yield
    scene.page("service_what_if", scene.world.service.pk, status=200, **data)


LISTED = (
    "accesstoken", "call", "client", "dpopnonce", "grant", "grantevent", "refreshtoken", "sweep"
)  # fmt: skip
SHORT = (
    "apitoken", "clientprofile", "description", "organization", "organizationevent",
    "organizationmember", "service", "stream", "webhook", "webhookdelivery",
)  # fmt: skip
EXPORTED = (*(name for name in LISTED if name != "dpopnonce"), *SHORT)


def choose_for_a_list(scene):
    """Columns and saved views are the operator's own: no event tells of them."""
    yield
    for model in LISTED + SHORT:
        scene.page(f"{model}_columns", column=["status"])
        scene.page(f"{model}_save_view", name="Mine", query="q=x")
        view = SavedView.objects.get(of=model)
        scene.page(f"{model}_delete_view", view.pk)


for _model in LISTED + SHORT:
    for _page in ("columns", "save_view", "delete_view"):
        act(f"page {_model} {_page}")(choose_for_a_list)


@act("page grant content")
@act("page grantevent details")
@act("page grantevent receipt")
@act("page organizationevent receipt")
def look_at_one_whole(scene):
    grant = scene.world.grant()
    event = grant.record("created", now(), BY_TEST)
    number = scene.world.service.organization_id
    told = OrganizationEvent.objects.record("imported", number, now(), BY_TEST)
    yield
    scene.look("grant_content", grant.pk)
    scene.look("grantevent_details", event.pk)
    scene.look("grantevent_receipt", event.pk)
    scene.look("organizationevent_receipt", told.pk)


@act("page call codes")
@act("page grant find")
@act("page grant people")
@act("page grant person")
@act("page client suggest")
@act("page grantevent export_jsonl")
@act("page organizationevent export_jsonl")
def look_around(scene):
    token = scene.world.token(scene.world.grant())
    yield
    scene.look("call_codes")
    scene.page("grant_find", status=200, text=token)
    scene.look("grant_people")
    scene.look("grant_person", Grant.objects.get().pk)
    scene.page("client_suggest", status=200, service=scene.world.service.pk, q="app")
    for model in ("grantevent", "organizationevent"):
        scene.look(f"{model}_export_jsonl")
    for model in EXPORTED:
        scene.look(f"{model}_export_csv")


for _model in EXPORTED:
    act(f"page {_model} export_csv")(look_around)


# Shared Signals.

TELLS = {"delivery": {"method": "urn:ietf:rfc:8936"}, "events_requested": list(SUPPORTED)}
APP = {"format": "complex", "application": {"format": "opaque", "id": "app-1"}}


def stream_of(scene):
    """A stream of a receiver, who may manage it."""
    world = scene.world
    scene.receiver = api_token_of(
        organization=world.service.organization, service=world.service, can_manage_streams=True
    )
    token = ApiToken.objects.get(can_manage_streams=True)
    scene.by["receiver"] = Actor.api_token(token)
    return Stream.objects.register(token, world.service, BY_TEST, method="poll")


def signals(scene, path, members=None, *, method="post", status=200, token=None):
    """A call of the receiver; the answer."""
    sent = {} if members is None else {"data": members, "content_type": "application/json"}
    headers = {"Authorization": f"Bearer {token or scene.receiver}"}
    url = f"/api/{scene.world.service.pk}/{path}"
    response = getattr(HTTP(), method)(url, headers=headers, **sent)
    assert response.status_code == status, response.content
    return json.loads(response.content) if response.content else None


@act("url ssf/streams", ("stream_created", "receiver"))
def create_a_stream(scene):
    stream_of(scene)
    yield
    assert signals(scene, "ssf/streams", TELLS, status=201)["events_delivered"] == list(SUPPORTED)


@act("url ssf/streams", ("stream_changed", "receiver"))
def change_a_stream(scene):
    stream = stream_of(scene)
    yield
    members = {"stream_id": str(stream.pk), "description": "SIEM"}
    signals(scene, "ssf/streams", members, method="patch")
    signals(scene, "ssf/streams", members, method="patch")


@act(
    "url ssf/streams",
    ("stream_created", "receiver"),
    ("stream_changed", "receiver"),
    ("stream_deleted", "receiver"),
)
def push_a_stream(scene):
    stream_of(scene)
    yield
    push = {"method": "urn:ietf:rfc:8935", "endpoint_url": RECEIVER}
    made = signals(scene, "ssf/streams", TELLS | {"delivery": push}, status=201)
    assert made["delivery"]["endpoint_url"] == RECEIVER  # its own page
    named = {"stream_id": made["stream_id"]}
    pushed = push | {"endpoint_url": f"{RECEIVER}&more"}
    signals(scene, "ssf/streams", named | {"delivery": pushed}, method="patch")
    details = GrantEvent.objects.get(kind="stream_changed").details
    assert details["changed"] == ["url"]
    assert details["after"]["url"] == "https://receiver.example/…"
    signals(scene, f"ssf/streams?stream_id={made['stream_id']}", method="delete", status=204)


@act("url ssf/streams", ("stream_changed", "receiver"))
def replace_a_stream(scene):
    stream = stream_of(scene)
    yield
    members = {"stream_id": str(stream.pk), "description": "SIEM"}
    signals(scene, "ssf/streams", members, method="put")


@act("url ssf/streams", ("stream_deleted", "receiver"))
def delete_a_stream(scene):
    stream = stream_of(scene)
    yield
    path = f"ssf/streams?stream_id={stream.pk}"
    signals(scene, path, method="delete", status=204)
    signals(scene, path, method="delete", status=404)


@act("url ssf/streams")
@act("url ssf/status")
@act("url ssf/streams/S/poll")
@act("url .well-known/ssf-configuration/N")
@act("url ssf/N/jwks")
def look_at_a_stream(scene):
    stream = stream_of(scene)
    yield
    assert len(signals(scene, "ssf/streams", method="get")) == 1
    assert signals(scene, f"ssf/status?stream_id={stream.pk}", method="get")["status"] == "enabled"
    assert signals(scene, f"ssf/streams/{stream.pk}/poll", {}) == {"sets": {}}
    for path in (".well-known/ssf-configuration/{}", "ssf/{}/jwks"):
        assert HTTP().get("/" + path.format(scene.world.service.pk)).status_code == 200


@act("url ssf/streams")
@act("url ssf/verification")
def streams_without_the_right(scene):
    stream = stream_of(scene)
    yield
    signals(scene, "ssf/streams", TELLS, status=403, token=scene.world.api_token)
    members = {"stream_id": str(stream.pk)}
    signals(scene, "ssf/verification", members, status=403, token=scene.world.api_token)


@act("url ssf/status", ("stream_changed", "receiver"))
def pause_a_stream(scene):
    stream = stream_of(scene)
    yield
    members = {"stream_id": str(stream.pk), "status": "paused"}
    signals(scene, "ssf/status", members)
    signals(scene, "ssf/status", members)


@act("url ssf/subjects/remove", ("subject_removed", "receiver"))
def remove_a_subject(scene):
    stream = stream_of(scene)
    yield
    members = {"stream_id": str(stream.pk), "subject": APP}
    signals(scene, "ssf/subjects/remove", members, status=204)
    signals(scene, "ssf/subjects/remove", members, status=204)


@act("url ssf/subjects/add", ("subject_added", "receiver"))
def add_a_subject_again(scene):
    stream = stream_of(scene)
    members = {k: v for k, v in APP.items() if k != "format"}
    StreamSubject.objects.remove(stream, members, BY_TEST)
    yield
    for _ in range(2):
        signals(scene, "ssf/subjects/add", {"stream_id": str(stream.pk), "subject": APP})


@act("url ssf/verification", ("stream_verified", "receiver"))
def verify_a_stream(scene):
    stream = stream_of(scene)
    yield
    members = {"stream_id": str(stream.pk), "state": "x"}
    signals(scene, "ssf/verification", members, status=204)
    signals(scene, "ssf/verification", members, status=429)


@act("command rotate_signing_key", ("signing_key_rotated", "rotate_signing_key"))
def rotate_a_signing_key(scene):
    yield
    scene.run("rotate_signing_key", "--service", scene.world.service.pk)


@act("command reencrypt_secrets")
def encrypt_anew(scene):
    stream_of(scene)
    webhook_of(scene)
    yield
    scene.run("reencrypt_secrets", "--dry-run")
    scene.run("reencrypt_secrets")


@act("command copy_services")
def copy_services(scene):
    yield
    scene.run("copy_services")


@act("page stream pause", ("stream_changed", "operator"))
def pause_a_stream_by_hand(scene):
    stream = stream_of(scene)
    yield
    for _ in range(2):  # the second time there is nothing left to do
        scene.page("stream_pause", stream.pk, reason="other")


@act("page stream disable", ("stream_changed", "operator"))
def disable_a_stream_by_hand(scene):
    stream = stream_of(scene)
    yield
    scene.page("stream_disable", stream.pk, reason="other")


@act("page stream enable", ("stream_changed", "operator"))
def enable_a_stream_by_hand(scene):
    stream = stream_of(scene)
    StreamDelivery.objects.set_status(stream, "disabled", "", BY_TEST)
    yield
    scene.page("stream_enable", stream.pk, reason="other")
