import io
from datetime import timedelta

from PIL import Image

from grant_management.models import ApiToken, ClientProfile, Reason, SelfServiceToken

from ...world import BY_TEST, now
from ..scene import GRANT, Call

HELD = {"grantId": GRANT}


def person(access="revoke"):
    def prepare(scene):
        _token, value = SelfServiceToken.objects.issue(
            scene.service,
            ApiToken.objects.get(service=scene.service),
            "user-1",
            access,
            now() - timedelta(seconds=1),
            timedelta(minutes=5),
        )
        return {"headers": {"Authorization": f"Bearer {value}"}}

    return prepare


def logo(scene):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    profile = ClientProfile.objects.put(
        scene.client, BY_TEST, Reason(""), texts=None, logo=file.getvalue()
    )
    return {"parameters": {"digest": profile.logo_digest}}


CALLS = [
    Call("issueSelfServiceToken", "To view", body={"subject": "user-1", "access": "view"}),
    Call("listOwnGrants", "All grants", token="", prepare=person()),
    Call("listOwnGrants", "No token", token=""),
    Call("getOwnGrant", "The grant", HELD, token="", prepare=person()),
    Call("getOwnGrant", "No such grant", {"grantId": "unknown"}, token="", prepare=person()),
    Call("revokeOwnGrant", "It is revoked", HELD, token="", prepare=person()),
    Call("revokeOwnGrant", "A token to view", HELD, token="", prepare=person("view")),
    Call("getLogo", "The logo", token="", prepare=logo),
]
