"""What every response of the person's pages has: no frame shows it, and no cache keeps it."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpResponseBase

_DJANGO: Final = "django.middleware.csp.ContentSecurityPolicyMiddleware"
_DJANGO_CSP: Final = "csp.middleware.CSPMiddleware"
_POLICY: Final = "Content-Security-Policy"


def guarded(response: HttpResponseBase) -> HttpResponseBase:
    """The response with `no-store` (RFC 9111 §5.2.2.5), and `frame-ancestors` (CSP level 3)."""
    response["Cache-Control"] = "no-store"
    response["X-Frame-Options"] = "DENY"
    response["Referrer-Policy"] = "same-origin"
    _refuse_frames(response)
    return response


def _refuse_frames(response: Any) -> None:
    """Add to the host's policy: a header of ours would make its middleware leave its own out."""
    none = {"frame-ancestors": ["'none'"]}
    if _DJANGO in settings.MIDDLEWARE:  # Django 6.0
        policy = getattr(settings, "SECURE_CSP", {})
        response._csp_config = {**policy, **none}
    elif _DJANGO_CSP in settings.MIDDLEWARE:  # django-csp
        response._csp_update = none
    elif _POLICY not in response:
        response[_POLICY] = "frame-ancestors 'none'"
