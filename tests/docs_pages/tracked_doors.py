"""The doors that take or make a credential: a call for each, that says whether it met the bug."""

import io
import json
import tempfile
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import Client as HTTP
from django.test import RequestFactory
from django.urls import reverse

from grant_management import lifecycle
from grant_management.lifecycle import Issue
from grant_management.models import RefreshToken
from grant_management.protocol.digests import sha256

from ..world import make_world

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
SECRET = "c" * 32
"""Of CSRF: the same in the cookie and in the form."""
COUNT = [0, 0]
"""Statements of this call, and bugs that were met so far."""


class Broken(Exception):
    """The bug."""


def breaking_at(number):
    """The statement of this number has a bug, and no earlier one."""
    COUNT[0] = 0

    def execute(run, sql, params, many, context):
        COUNT[0] += 1
        if COUNT[0] == number + 1:
            COUNT[1] += 1
            raise Broken
        return run(sql, params, many, context)

    return execute


def doors():
    """Name, credentials by kind, and the call."""
    world = make_world()
    application = get_wsgi_application()
    token, refresh = "t-" + "access" * 8, "t-" + "refresh" * 8
    new, proof = "t-" + "new" * 12, "p-" + "proof" * 8
    grant = world.grant()
    world.token(grant, value=token)
    world.refresh_token(grant, value=refresh)
    known = {"api token": world.api_token, "token": token, "refresh": refresh, "new": new}
    known |= {"proof": proof}
    api = f"/api/{world.service.pk}"

    def post(path, data, content_type=JSON):
        body = json.dumps(data) if isinstance(data, dict) else data
        made = RequestFactory().post(
            path, body, content_type, HTTP_AUTHORIZATION=f"Bearer {world.api_token}"
        )
        return served(application, made)

    def call(path, data, content_type=JSON):
        return lambda: post(f"{api}/{path}", data, content_type)

    gm = {"grantId": grant.grant_id, "accessToken": token, "dpop": proof}
    asked = {"clientIdentifier": "app-1", "refreshToken": refresh}
    yield "gm QUERY", known, call("auth/gm", gm | {"gmAction": "QUERY"})
    yield "gm as a form", known, call("gm", f"gmAction=QUERY&accessToken={token}&grantId=g", FORM)
    large = gm | {"gmAction": "QUERY", "x": "y" * 70_000}
    yield "gm, large", known, call("gm", large)
    yield "introspection", known, call("auth/introspection", {"token": token, "dpop": proof})
    yield "introspect", known, call("introspect", f"token={token}", FORM)
    created = {"grantType": "AUTHORIZATION_CODE", "clientIdentifier": "app-1"}
    created |= {"subject": "user-1", "accessToken": new, "scopes": ["a"]}
    yield "token create", known, call("auth/token/create", created)
    yield "refresh", known, call("tokens/refresh", asked)
    yield "revoke", known, call("revoke", f"token={refresh}", FORM)
    yield "token revoke", known, call("auth/token/revoke", {"accessTokenIdentifier": token})
    yield "token rotate", known, lambda: post("/api/servicetoken/create", {"serviceId": 1})
    draft = RequestFactory().get(
        f"/gm/{world.service.pk}/{grant.grant_id}", HTTP_AUTHORIZATION=f"Bearer {token}"
    )
    yield "the draft's endpoint", known, lambda: served(application, draft)
    yield "gm REVOKE", known, call("gm", gm | {"gmAction": "REVOKE"})
    yield from pages(world, known, application)
    yield from in_python(world, known)


def served(application, request):
    """Whether the bug was met on the way."""
    environ = dict(request.environ)
    environ["wsgi.input"] = io.BytesIO(request.environ["wsgi.input"].read())
    request.environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].getvalue())
    before = COUNT[1]
    try:
        answer = application(environ, lambda *_: None)
        list(answer)
        answer.close()
    except Broken:  # DEBUG_PROPAGATE_EXCEPTIONS, or a bug in what reports bugs
        pass
    return COUNT[1] > before


def pages(world, known, application):
    """The admin's pages that a credential is pasted into, or shown on."""
    user = get_user_model().objects.create_superuser("ann")
    http = HTTP(raise_request_exception=False)
    http.force_login(user)
    http.cookies["csrftoken"] = SECRET
    cookie = "; ".join(f"{name}={one.value}" for name, one in http.cookies.items())
    pasted = {"gm_action": "QUERY", "grant_id": "g", "access_token": known["token"]}
    pasted |= {"dpop": known["proof"], "body": ""}
    whole = {"body": json.dumps({"gmAction": "QUERY", "accessToken": known["token"]})}

    def send(path, form):
        form = form | {"csrfmiddlewaretoken": SECRET}
        made = RequestFactory().post(path, form, HTTP_COOKIE=cookie)
        return served(application, made)

    what_if = reverse("admin:grant_management_service_what_if", args=[world.service.pk])
    issue = reverse("admin:grant_management_apitoken_issue")
    form = {"once": "x", "service": "", "organization": world.service.organization_id}
    for name, path, data in (
        ("what-if", what_if, pasted),
        ("what-if, a body", what_if, whole),
        ("issue an API token", issue, form),
    ):
        yield name, known, lambda path=path, data=data: send(path, data)


def in_python(world, known):
    """The lifecycle and the commands, as a host's code calls them: it is the host that fails."""
    import sentry_sdk

    def of_host(work):
        def call():
            before = COUNT[1]
            try:
                work()
            except Exception as error:  # noqa: BLE001 - a host reports whatever it is
                sentry_sdk.capture_exception(error)
            return COUNT[1] > before

        return call

    known = {kind: one for kind, one in known.items() if kind != "api token"}  # `world` shows it
    grant = world.grant()
    value = world.refresh_token(grant, value="t-" + "third" * 9)
    old = RefreshToken.objects.get(digest=sha256(value))
    order = Issue(scopes="a", access_token=known["new"] + "2", refresh_token=known["new"] + "3")
    work = lambda: lifecycle.issue(world.client, "user-1", grant, order)  # noqa: E731
    yield "lifecycle.issue", known | {"third": value}, of_host(work)
    again = Issue(access_token=known["new"] + "4", refresh_token=known["new"] + "5")
    yield (
        "lifecycle.rotate",
        known | {"third": value},
        of_host(lambda: lifecycle.rotate(old, again)),
    )
    records = Path(tempfile.mkdtemp()) / "records.jsonl"
    token = {"type": "access_token", "service": world.service.pk, "client_id": "app-1"}
    token |= {"token": known["new"] + "6", "scopes": ["a"]}
    records.write_text(json.dumps(token) + "\n")
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO(), "verbosity": 0}
    importing = lambda: call_command("import_grants", str(records), **quiet)  # noqa: E731
    yield "import_grants", known, of_host(importing)
