"""The document as JSON or YAML, and the page to read and try it, which needs no other server."""

from typing import Any, Final

from django.templatetags.static import static
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .document import DocumentGenerator, document

POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
"""Nothing from another origin, nothing inline (CSP level 3)."""
PAGE: Final = {"deepLinking": True, "validatorUrl": None, "persistAuthorization": False}
"""Settings of Swagger UI. By default it would ask a validator of its maker's about the document."""


class _Open(APIView):
    """What a host's `REST_FRAMEWORK` would set otherwise: nobody has to authenticate."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    versioning_class = None
    content_negotiation_class = DefaultContentNegotiation


class _ServedDocument(DocumentGenerator):
    """The document with the address under which the host has included the app's URLs."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        prefix = request.path.removesuffix("/api/schema")
        return document() | {"servers": [{"url": prefix or "/"}]}


class SchemaView(_Open, SpectacularAPIView):
    """`GET /api/schema`: JSON; or YAML, for `?format=yaml` or by `Accept: application/yaml`."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiYamlRenderer2]
    generator_class = _ServedDocument


class PageView(_Open, SpectacularSwaggerSplitView):
    """`GET /api/schema/page`: Swagger UI, from the files of drf-spectacular-sidecar."""

    renderer_classes = [TemplateHTMLRenderer]
    url_name = "grant_management_openapi:schema"
    template_name = "grant_management_openapi/page.html"
    title = "Grant Management for OAuth 2.0"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The page; with `?script` its script, since the policy allows no inline one."""
        response: Response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = POLICY
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def _dump(self, data: Any) -> str:
        is_page = data is spectacular_settings.SWAGGER_UI_SETTINGS
        text: str = super()._dump(PAGE if is_page else data)
        return text

    @staticmethod
    def _swagger_ui_resource(filename: str) -> str:
        return static(f"drf_spectacular_sidecar/swagger-ui-dist/{filename}")

    @staticmethod
    def _swagger_ui_favicon() -> str:
        return static("drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png")
