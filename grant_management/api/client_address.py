"""The address that a request comes from, behind proxies or not."""

from django.http import HttpRequest

from ..conf import app_settings
from . import server
from .client_certificate import is_trusted


def client_address(request: HttpRequest) -> str:
    """REMOTE_ADDR, or where that is a trusted proxy, what it added to X-Forwarded-For.

    Each proxy appends the address of its peer, so the list is read from the right: the first that
    is no trusted proxy is the client's, and what stands before it may be invented. The header is
    ignored where the server merges it with `X_Forwarded_For`, which a client may send.
    """
    remote: str = request.META.get("REMOTE_ADDR", "")
    proxies = app_settings.trusted_proxies
    merged = server.folds_underscores(request.META) and not app_settings.underscores_are_dropped
    told = "" if merged else request.META.get("HTTP_X_FORWARDED_FOR", "")
    for address in reversed([part.strip() for part in told.split(",") if part.strip()]):
        if not is_trusted(remote, proxies):
            break
        remote = address
    return remote
