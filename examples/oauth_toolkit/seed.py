"""`manage.py shell -c "import seed; seed.main()"`: two users, two applications, one service.

Prints the secrets that it made as one line of JSON. A second run makes new secrets.
"""

import json
import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from oauth2_provider.models import get_application_model

from grant_management.models import Actor, ApiToken, Organization, Service

REDIRECT_URI = "http://127.0.0.1:9/callback"


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
    made["clients"] = [_application(name) for name in ("Budget App", "Other App")]
    print(json.dumps(made))


def _user(name: str) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user, _ = get_user_model().objects.get_or_create(username=name)
    user.set_password(password)
    user.save()
    return {"username": name, "password": password}


def _application(name: str) -> dict[str, str]:
    application_model = get_application_model()
    made = {}
    for kind, grant_type in (
        ("", application_model.GRANT_AUTHORIZATION_CODE),
        ("own_", application_model.GRANT_CLIENT_CREDENTIALS),
        ("device_", application_model.GRANT_DEVICE_CODE),
    ):
        secret = secrets.token_urlsafe(24)
        made |= {f"{kind}client_id": secrets.token_urlsafe(12), f"{kind}client_secret": secret}
        application_model.objects.create(
            name=f"{name} {kind}".strip(),
            client_id=made[f"{kind}client_id"],
            client_secret=secret,
            client_type=application_model.CLIENT_CONFIDENTIAL,
            authorization_grant_type=grant_type,
            redirect_uris=REDIRECT_URI if not kind else "",
        )
    return made
