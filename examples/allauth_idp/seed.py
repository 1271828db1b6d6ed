"""`manage.py shell -c "import seed; seed.main()"`: two users, two clients, one service.

Prints the secrets that it made as one line of JSON. A second run makes new secrets.
"""

import json
import secrets

from allauth.idp.oidc.models import Client
from django.conf import settings
from django.contrib.auth import get_user_model

from grant_management.models import Actor, ApiToken, Organization, Service

REDIRECT_URI = "http://127.0.0.1:9/callback"
SCOPES = ["openid", "read", "write", "introspection"]
SCOPES += ["grant_management_query", "grant_management_revoke"]


def main() -> None:
    """Create them, and print how to log in."""
    organization, _ = Organization.objects.get_or_create(id=1, defaults={"name": "Example Bank"})
    service, _ = Service.objects.get_or_create(
        id=1,
        defaults={
            "organization": organization,
            "name": "Retail",
            "grant_management_endpoint": f"{settings.BASE_URL}/gm/1",
        },
    )
    _, api_token = ApiToken.objects.issue(
        organization=organization,
        service=service,
        description="Example",
        actor=Actor.command("seed"),
    )
    made = {"base": settings.BASE_URL, "redirect_uri": REDIRECT_URI, "api_token": api_token}
    made["users"] = [_user(name) for name in ("ann", "bob")]
    made["clients"] = [_client(name) for name in ("Budget App", "Other App")]
    print(json.dumps(made))


def _user(name: str) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user, _ = get_user_model().objects.get_or_create(username=name)
    user.set_password(password)
    user.save()
    return {"username": name, "password": password}


def _client(name: str) -> dict[str, str]:
    """One for the code flow, and one for tokens of the client's own."""
    made = {}
    for kind, grant_types in (
        ("", ["authorization_code", "refresh_token"]),
        ("own_", ["client_credentials"]),
    ):
        client = Client(name=f"{name} {kind}".strip(), id=secrets.token_urlsafe(12))
        client.set_scopes(SCOPES)
        client.set_grant_types(grant_types)
        client.set_redirect_uris([REDIRECT_URI] if not kind else [])
        secret = secrets.token_urlsafe(24)
        client.set_secret(secret)
        client.save()
        made |= {f"{kind}client_id": client.id, f"{kind}client_secret": secret}
    return made
