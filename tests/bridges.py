"""The bridges, as the end-to-end suite meets them: where their doors are, and what a page takes."""

import importlib.util
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
import requests

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True)
class Bridge:
    """`revoked_with` is what dies with a token that its client revokes; `row_takes` is what dies with
    the row of a refresh token that the host's own code ends.
    """

    name: str
    package: str
    folder: Path
    login: str
    user_field: str
    authorize: str
    token: str
    revoke: str
    logout: str
    introspect: str
    protected: str
    protected_by: tuple
    allow: dict
    cancel: dict
    theirs: str
    revoked_with: dict
    row_takes: tuple
    apps: tuple
    clear: str
    refresh_ends_access: bool
    refuses_claims: str
    more: str
    is_newest: bool = False
    prepare: tuple = ()

    def __str__(self):
        return self.name

    def form(self, page, url):
        """Where the form of a consent page goes, and what it sends besides the button."""
        return url, fields(page)

    def asks(self, seeded):
        """How a protected resource authenticates at the introspection endpoint."""
        raise NotImplementedError


class Toolkit(Bridge):
    def asks(self, client):
        return {"headers": {"Authorization": f"Bearer {client.own_token('introspection')}"}}

    def opens(self, base, token):
        """Its introspection is a protected view."""
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.post(
            f"{base}{self.introspect}", data={"token": "x"}, headers=headers, timeout=60
        )
        assert answer.status_code in (200, 401, 403), answer.text
        return answer.status_code == 200


class Allauth(Bridge):
    def form(self, page, url):
        base = url.partition(self.authorize)[0]
        scopes = re.findall(r'<input type="checkbox" name="scopes" value="([^"]+)"', page)
        return f"{base}{self.authorize}", fields(page) | {"scopes": [*map(unescape, scopes)]}

    def asks(self, client):
        return {"auth": (client.secrets["client_id"], client.secrets["client_secret"])}

    def opens(self, base, token):
        """The claims of the user."""
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{base}{self.protected}", headers=headers, timeout=60)
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200


TOOLKIT = Toolkit(
    name="oauth_toolkit",
    package="oauth2_provider",
    folder=EXAMPLES / "oauth_toolkit",
    login="/login/",
    user_field="username",
    authorize="/o/authorize/",
    token="/o/token/",
    revoke="/o/revoke_token/",
    logout="/o/logout/",
    introspect="/o/introspect/",
    protected="/o/introspect/",
    protected_by=("introspection",),
    allow={"allow": "on"},
    cancel={},
    theirs="""
import hashlib
from django.utils import timezone
from oauth2_provider.models import *
from grant_management.contrib.oauth_toolkit.models import AuthorizedCode as OurCode, LinkedToken
def access(value):
    return AccessToken.objects.get(token_checksum=hashlib.sha256(value.encode()).hexdigest())
def refresh(value):
    has = any(f.name == "token_checksum" for f in RefreshToken._meta.fields)
    by = {"token_checksum": hashlib.sha256(value.encode()).hexdigest()} if has else {"token": value}
    return RefreshToken.objects.get(**by)
def end_refresh(value):
    refresh(value).revoke()
def application(client_id):
    return Application.objects.get(client_id=client_id)
def has_access(value):
    return AccessToken.objects.filter(token=value).exists()
def end_access(values):
    AccessToken.objects.filter(pk__in=[access(value).pk for value in values]).delete()
def number():
    return [model.objects.count() for model in (AccessToken, RefreshToken)]
def codes():
    return Grant.objects.count()
def make(client_id, scope):
    from datetime import timedelta
    from uuid import uuid4
    from django.contrib.auth.models import User
    application = Application.objects.get(client_id=client_id)
    kept = dict(user=User.objects.get(username="ann"), application=application)
    ends = timezone.now() + timedelta(hours=1)
    row = AccessToken.objects.create(token="before-a", scope=scope, expires=ends, **kept)
    family = uuid4()
    RefreshToken.objects.create(token="before-r", access_token=row, token_family=family, **kept)
    return {"access_token": "before-a", "refresh_token": "before-r"}
def unmake():
    RefreshToken.objects.filter(token__startswith="before").delete()
    AccessToken.objects.filter(token__startswith="before").delete()
def expire(row, at):
    name = "expires" if isinstance(row, AccessToken) else "revoked"
    type(row).objects.filter(pk=row.pk).update(**{name: at})
""",
    revoked_with={
        "access_token": ("access", "refresh"),
        "refresh_token": ("access", "refresh"),
    },
    row_takes=("access", "refresh"),
    apps=("grant_management", "grant_management_oauth_toolkit", "oauth2_provider"),
    clear="cleartokens",
    refresh_ends_access=True,
    refuses_claims="invalid_request",
    more='import json, seed\nresult = json.dumps(seed._application("Third App"))',
)
ALLAUTH = Allauth(
    name="allauth_idp",
    package="allauth",
    folder=EXAMPLES / "allauth_idp",
    login="/accounts/login/",
    user_field="login",
    authorize="/identity/o/authorize",
    token="/identity/o/api/token",
    revoke="/identity/o/api/revoke",
    logout="/identity/o/logout",
    introspect="/identity/o/api/introspect",
    protected="/identity/o/api/userinfo",
    protected_by=("openid",),
    allow={"action": "grant"},
    cancel={"action": "cancel"},
    theirs="""
from django.utils import timezone
from allauth.idp.oidc.models import Client as Application, Token
from grant_management.contrib.allauth_idp.models import IssuedCode as OurCode, LinkedToken
def access(value):
    return Token.objects.by_value(value).get(type="at")
def refresh(value):
    return Token.objects.by_value(value).get(type="rt")
def application(client_id):
    return Application.objects.get(pk=client_id)
def has_access(value):
    return Token.objects.by_value(value).exists()
def end_access(values):
    Token.objects.filter(pk__in=[access(value).pk for value in values]).delete()
def end_refresh(value):
    Token.objects.by_value(value).filter(type="rt").delete()
def number():
    return [Token.objects.filter(type=kind).count() for kind in ("at", "rt")]
def codes():
    return OurCode.objects.count()
def make(client_id, scope):
    from datetime import timedelta
    from django.contrib.auth.models import User
    for kind, value in (("at", "before-a"), ("rt", "before-r")):
        row = Token(type=kind, client_id=client_id, user=User.objects.get(username="ann"))
        row.set_value(value)
        row.set_scopes(scope.split())
        row.expires_at = timezone.now() + timedelta(hours=1)
        row.save()
    return {"access_token": "before-a", "refresh_token": "before-r"}
def unmake():
    for value in ("before-a", "before-r"):
        Token.objects.by_value(value).delete()
def expire(row, at):
    Token.objects.filter(pk=row.pk).update(expires_at=at)
""",
    revoked_with={"access_token": ("access",), "refresh_token": ("access", "refresh")},
    row_takes=("refresh",),
    apps=("grant_management", "grant_management_allauth_idp", "allauth_idp_oidc"),
    clear="oidc_cleartokens",
    refresh_ends_access=False,
    refuses_claims="login_required",
    more='import json, seed\nresult = json.dumps(seed._client("Third App"))',
    is_newest=True,
    prepare=(("createcachetable",),),
)


def _parameter(bridge):
    missing = importlib.util.find_spec(bridge.package) is None
    skip = pytest.mark.skipif(missing, reason=f"{bridge.package} is not installed")
    return pytest.param(bridge, id=bridge.name, marks=skip)


EACH = [_parameter(TOOLKIT), _parameter(ALLAUTH)]


def fields(page):
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}
