"""Every door to the app, in this process: HTTP, the admin, the commands; and the clock."""

import io
import json
import re
from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import models
from django.db.models import F
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.admin import sweep as sweep_pages
from grant_management.admin.sweep_worker import BATCH
from grant_management.models import Grant, GrantEvent

from ..ours import connection
from ..world import ENDPOINT, Key, certificate

OPERATOR = "alice"
CERTIFICATES = {"CLIENT_CERTIFICATE_HEADER": "X-Client-Cert", "TRUSTED_PROXIES": ["127.0.0.1/32"]}
"""What the app must be told to read certificates at the draft's own endpoint."""


class Doors:
    """`numbers` leads from a service's name to its number; `api_token` opens them all."""

    def __init__(self):
        self.http = HTTP(raise_request_exception=False)
        self.admin = HTTP()
        user, _ = get_user_model().objects.get_or_create(
            username=OPERATOR, is_superuser=True, is_staff=True
        )
        self.admin.force_login(user)
        self.operator = str(user.pk)
        self.key, (self.pem, self.x5t) = Key(), certificate()
        self.numbers, self.api_token = {}, ""

    # -- the API ------------------------------------------------------------------------------

    def store(self, service, path, members=None, *, details=()):
        """An answer of the store. `details` are JSON texts, sent as they are."""
        body = json.dumps(members or {})
        if details:
            comma = "," if members else ""
            body = f'{body[:-1]}{comma}"authorizationDetails":[{",".join(details)}]}}'
        return self._post(service, path, body, "application/json")

    def form(self, service, path, **fields):
        return self._post(service, path, urlencode(fields), "application/x-www-form-urlencoded")

    def gm(self, action, token, grant_id, *, proven=True):
        """A call of the API, with what the token is bound to."""
        members = {"gmAction": action, "grantId": grant_id, "accessToken": token.value}
        if proven and token.bound == "key":
            members["dpop"] = self._proof(action, token, grant_id)
        if proven and token.bound == "certificate":
            members["clientCertificate"] = self.pem
        return self.store(token.service.name, "auth/gm", members)

    def endpoint(self, method, token, grant_id):
        """The draft's own endpoint: the HTTP status and the body."""
        action = {"GET": "QUERY", "DELETE": "REVOKE"}[method]
        headers = {"Authorization": f"Bearer {token.value}"}
        if token.bound == "key":
            proof = self._proof(action, token, grant_id)
            headers = {"Authorization": f"DPoP {token.value}", "DPoP": proof}
        if token.bound == "certificate":
            headers["X-Client-Cert"] = self.pem.replace("\n", " ")
        path = f"/gm/{self.numbers[token.service.name]}/{grant_id}"
        response = self.http.generic(method, path, headers=headers)
        return response.status_code, response.content.decode()

    def refresh(self, token, client_id, scopes):
        members = {"refreshToken": token.value, "clientIdentifier": client_id}
        if scopes:
            members["scopes"] = sorted(scopes)
        if token.bound == "key":
            url = "https://as.example.com/token"
            members["dpop"] = self.key.proof("", htu=url, htm="POST", without=["ath"])
            members["htu"] = url
        if token.bound == "certificate":
            members["clientCertificate"] = self.pem
        return self.store(token.service.name, "tokens/refresh", members)

    def _proof(self, action, token, grant_id):
        method = {"QUERY": "GET", "REVOKE": "DELETE"}[action]
        return self.key.proof(token.value, htu=f"{ENDPOINT}/{grant_id}", htm=method)

    def _post(self, service, path, body, media_type):
        response = self.http.generic(
            "POST",
            f"/api/{self.numbers[service]}/{path}",
            body,
            media_type,
            headers={"Authorization": f"Bearer {self.api_token}"},
        )
        return response.status_code, json.loads(response.content)

    # -- the admin ----------------------------------------------------------------------------

    def press(self, model, action, row):
        """An operator's button: a reason, and done."""
        url = reverse(f"admin:grant_management_{model}_{action}", args=[row.pk])
        response = self.admin.post(url, {"reason": "regulator", "note": "n", "ticket": "T-1"})
        assert response.status_code == 302, response.content

    def sweep(self, fields):
        """Revoke by filter: chosen, checked, confirmed, and worked off at once."""
        check = reverse("admin:grant_management_sweep_check")
        page = self.admin.post(check, fields)
        typed = {"typed": page.context["phrase"], "reason": "regulator", "note": "", "ticket": ""}
        sweep = {"sweep": page.context["confirm"].initial["sweep"]}
        with patch.object(sweep_pages, "work_in_background", _work_at_once):
            response = self.admin.post(check, fields | typed | sweep)
        assert response.status_code == 302, response.content

    def page(self, grant):
        """What an operator sees of a grant: its status; and of its tokens, by digest."""
        row = Grant.objects.get(service=self.numbers[grant.service.name], grant_id=grant.grant_id)
        url = reverse("admin:grant_management_grant_change", args=[row.pk])
        html = self.admin.get(url).content.decode()
        heading = re.search(r'<h1><span class="gm-state gm-([a-z-]+)"', html)
        tokens = dict(re.findall(_TOKEN, html))
        return heading[1], tokens

    def change_settings(self, service, **settings):
        """The settings page, with what it shows and these instead."""
        url = reverse("admin:grant_management_service_settings", args=[self.numbers[service]])
        form = self.admin.get(url).context["form"]
        fields = {name: form[name].value() for name in form.fields}
        fields |= settings | {"reason": "other"}
        sent = {name: one for name, one in fields.items() if one is not None and one is not False}
        response = self.admin.post(url, sent)
        assert response.status_code == 302, response.context["form"].errors

    # -- commands -----------------------------------------------------------------------------

    def command(self, name, *arguments):
        out = io.StringIO()
        call_command(name, "--json", *map(str, arguments), stdout=out, stderr=io.StringIO())
        return json.loads(out.getvalue() or "null")

    def imported(self, lines, file):
        file.write_text("".join(f"{line}\n" for line in lines))
        return self.command("import_grants", file)

    def refused_import(self, lines, file):
        """What is said of the first bad record."""
        file.write_text("".join(f"{line}\n" for line in lines))
        errors = io.StringIO()
        try:
            call_command("import_grants", str(file), stdout=io.StringIO(), stderr=errors)
        except CommandError:
            return errors.getvalue()
        raise AssertionError("it was imported")

    def exported(self, file):
        self.command("export_grants", "--output", file)
        return file.read_text().splitlines()

    # -- the database -------------------------------------------------------------------------

    def events(self, known):
        """Those that are not known yet, oldest first."""
        rows = GrantEvent.objects.exclude(pk__in=known).order_by("at", "pk")
        return list(rows.select_related("service"))


_TOKEN = (
    r'<code>([0-9a-f]{8})</code></td><td data-label="Status">'
    r'<span class="gm-state gm-([a-z-]+)"'
)


def _work_at_once(sweep):
    assert sweep.claim()
    for _number in sweep.work(BATCH):
        pass


def wipe():
    """All of the app's rows, and none of the host's."""
    with connection.cursor() as cursor, connection.constraint_checks_disabled():
        for model in _MODELS:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")


def shift(by):
    """It is so much later: by the one clock, every stamp is so much longer ago."""
    for model in _MODELS:
        stamps = [one.name for one in model._meta.fields if isinstance(one, models.DateTimeField)]
        if stamps:
            moved = {name: F(name) - by for name in stamps}
            models.QuerySet(model).update(**moved)  # events are append-only but to a clock


def now():
    return datetime.now(UTC)


def _referring_first(models_left):
    """In an order in which rows can be deleted: who refers to a table goes before it."""
    ordered = []
    while models_left:
        referred = {
            field.related_model
            for model in models_left
            for field in model._meta.concrete_fields
            if field.related_model is not None and field.related_model is not model
        }
        free = [model for model in models_left if model not in referred]
        ordered += free
        models_left = [model for model in models_left if model not in free]
    return ordered


_MODELS = _referring_first(list(apps.get_app_config("grant_management").get_models()))
