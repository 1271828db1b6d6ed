"""The origin of this server, from its configuration: a header is controlled by the client."""

from urllib.parse import urlsplit


def origin_of(url: str) -> str:
    """`https://as.example.com` for `https://as.example.com/gm/1`."""
    scheme, host, *_rest = urlsplit(url)
    return f"{scheme}://{host}"
