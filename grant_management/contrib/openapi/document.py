"""The document as a whole, made by drf-spectacular's generator."""

from functools import cache
from typing import Any, Final

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from rest_framework.views import APIView

from ... import __version__
from .operations import TAGS, Described, all_operations
from .schema import REQUEST_ID, OperationSchema
from .schemas import Schema
from .shapes import SHAPES
from .webhooks import all_webhooks

TEXT: Final = """\
Every door of a Grant Management server: its API, the store, Authlete's management operations, the
API that issues API tokens, the draft's own endpoint, metadata, RFC 7662 and RFC 7009, self-service,
health, and the webhooks that it sends.

In a request a member that is null counts as absent, and unknown members are ignored. Where GET
works, HEAD does too. A body may also be a form (`application/x-www-form-urlencoded`) with the same
names, where all members are strings.

Every refusal has a code (`resultCode`); each operation lists those that it may answer."""
SECURITY: Final[Schema] = {
    "apiToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A service token, or an organization token.",
    },
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The access token of an OAuth client (RFC 6750).",
    },
    "boundAccessToken": {
        "type": "http",
        "scheme": "DPoP",
        "description": "The access token of an OAuth client that is bound to a key (RFC 9449).",
    },
    "selfServiceToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token for one person's own grants, of `issueSelfServiceToken`.",
    },
}


class DocumentGenerator(SchemaGenerator):
    """Generates the document from `all_operations` instead of the host's URLs.

    The views of the app answer all methods in `dispatch`, and have no serializers, so that there is
    nothing in them that drf-spectacular's own inspection would find.
    """

    def _initialise_endpoints(self) -> None:
        found = all_operations()
        endpoints: Any = [(one.path, one.path, one.method, _view_of(one)) for one in found]
        self.endpoints = endpoints


@cache
def document() -> dict[str, Any]:
    """The document, made once in a process."""
    settings = {
        "OAS_VERSION": "3.1.1",
        "TITLE": "Grant Management for OAuth 2.0",
        "VERSION": __version__,
        "DESCRIPTION": TEXT,
        "TAGS": [{"name": name} for name in dict.fromkeys(TAGS.values())],
        "SCHEMA_PATH_PREFIX": "/",
        "SORT_OPERATIONS": False,
        "SORT_OPERATION_PARAMETERS": False,
        "POSTPROCESSING_HOOKS": [],
        "APPEND_PATHS": {},
        "WEBHOOKS": [],
        "SERVERS": [],
        "TOS": None,
        "CONTACT": {},
        "LICENSE": {},
        "EXTERNAL_DOCS": {},
        "EXTENSIONS_INFO": {},
        "EXTENSIONS_ROOT": {},
        "CAMELIZE_NAMES": False,
        "APPEND_COMPONENTS": {
            "schemas": {name: shape.schema for name, shape in SHAPES.items()},
            "securitySchemes": SECURITY,
            "headers": {"RequestId": REQUEST_ID},
        },
    }
    with patched_settings(settings):
        made: dict[str, Any] = DocumentGenerator().get_schema(request=None, public=True)
    return made | {"webhooks": all_webhooks()}


def _view_of(operation: Described) -> Any:
    """A view that carries the operation to `OperationSchema`. It is never called."""
    attributes = {
        "described": operation,
        "schema": OperationSchema(),
        "authentication_classes": (),
        "permission_classes": (),
        "versioning_class": None,
        operation.method.lower(): lambda self, request: None,
    }
    return type("DescribedView", (APIView,), attributes).as_view()  # type: ignore[attr-defined]
