"""The absolute URLs of a service's transmitter, at the origin of its issuer."""

from urllib.parse import urlsplit

from django.urls import reverse

from ...models import Service


def url_of(service: Service, name: str, **kwargs: object) -> str:
    """The URL of a route of the app by its name."""
    scheme, host, *_rest = urlsplit(service.issuer)
    path = reverse(f"grant_management:{name}", kwargs={"service_id": service.pk, **kwargs})
    return f"{scheme}://{host}{path}"
