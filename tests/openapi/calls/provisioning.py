from grant_management.models import ApiToken, Description, Reason

from ...world import BY_TEST, api_token_of
from ..scene import ORGANIZATION_TOKEN, Call

TEXTS = [{"language": "en", "name": "Contacts", "sentence": "See your contacts."}]
SAVED = {"scope": "contacts", "sensitivity": "medium", "texts": TEXTS}


def described(scene):
    Description.objects.put(
        scene.service,
        "scope",
        "contacts",
        BY_TEST,
        Reason(""),
        texts=TEXTS,
        sensitivity="medium",
    )


def another(kind):
    def prepare(scene):
        service = scene.service if kind == "Service" else None
        api_token_of(
            organization=scene.service.organization, service=service, description="Example"
        )
        made = ApiToken.objects.get(description="Example")
        return {"body": {"tokenId": str(made.pk)}}

    return prepare


def of_kind(kind, members):
    def call(operation, name, body=None, **more):
        plural = "s" if operation == "list" else ""
        return Call(
            f"{operation}{kind}Token{plural}", name, body=body, token=ORGANIZATION_TOKEN, **more
        )

    yield call("create", "A new API token", {"description": "Example", **members})
    yield call("list", "All that are active", members)
    yield call("update", "Nothing changes", prepare=another(kind))
    yield call("rotate", "A new value", prepare=another(kind))
    yield call("revoke", "It is revoked", prepare=another(kind))
    yield call("revoke", "An unknown token", {"tokenId": "01900000-0000-7000-8000-000000000000"})


CALLS = [
    *of_kind("Service", {"serviceId": 1001}),
    *of_kind("Organization", {}),
    Call("saveDescription", "Of a scope", body=SAVED, token=ORGANIZATION_TOKEN),
    Call(
        "getDescription",
        "Of a scope",
        body={"scope": "contacts"},
        token=ORGANIZATION_TOKEN,
        prepare=described,
    ),
    Call("getDescription", "There is none", body={"scope": "contacts"}, token=ORGANIZATION_TOKEN),
    Call("listDescriptions", "All", token=ORGANIZATION_TOKEN, prepare=described),
    Call(
        "deleteDescription",
        "It is deleted",
        body={"scope": "contacts"},
        token=ORGANIZATION_TOKEN,
        prepare=described,
    ),
    Call(
        "saveClientProfile",
        "A name and a site",
        body={
            "clientIdentifier": "app-1",
            "texts": [{"language": "en", "name": "Budget App", "site": "https://app.example.com/"}],
        },
    ),
    Call("getClientProfile", "There is none yet", body={"clientIdentifier": "app-1"}),
]
