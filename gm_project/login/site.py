"""The admin's login form and its answer to too many logins."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from .client_address import client_address
from .throttle import Throttled, attempt


class ThrottledLoginForm(AdminAuthenticationForm):
    """Django's form of the admin, which counts a login before it checks the password."""

    def clean(self) -> dict[str, Any]:
        """The fields of a login that is right. Throttled: too many failed.

        ValidationError: the account or the password is wrong, or the user may not enter.
        """
        account, password = (self.cleaned_data.get(name) for name in ("username", "password"))
        if not account or not password or self.request is None:
            return super().clean()  # it checks no password
        counted = attempt(account, client_address(self.request))
        try:
            cleaned = super().clean()
        except ValidationError:
            counted.failed()
            raise
        counted.succeeded()
        return cleaned


class ThrottledSite(AdminSite):
    """An admin site whose login is throttled."""

    login_form = ThrottledLoginForm

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's page, or 429 as plain text with `Retry-After` (RFC 6585 §4)."""
        try:
            return super().login(request, extra_context)
        except Throttled as refused:
            return _too_many(refused.seconds)


def _too_many(seconds: int) -> HttpResponse:
    minutes = -(-seconds // 60)
    text = f"Too many logins failed. Try again in {minutes} minute{'s'[: minutes > 1]}.\n"
    answer = HttpResponse(text, status=429, content_type="text/plain; charset=utf-8")
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "no-store"
    # The throttle has logged the burst; Django would log each of its requests.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
