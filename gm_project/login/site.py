"""The admin's login form and its answer to too many logins."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request, ngettext, override

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
        """Django's page, or 429 as plain text with `Retry-After` (RFC 6585 §4): in the language
        that the browser asks for (RFC 9110 §12.5.4), since nobody is known yet.
        """
        with override(get_language_from_request(request)):
            try:
                answer = super().login(request, extra_context)
            except Throttled as refused:
                answer = _too_many(refused.seconds)
            if isinstance(answer, TemplateResponse):
                answer.render()
        patch_vary_headers(answer, ["Accept-Language"])
        return answer


def _too_many(seconds: int) -> HttpResponse:
    minutes = -(-seconds // 60)
    text = ngettext(
        "Too many logins failed. Try again in %(n)s minute.",
        "Too many logins failed. Try again in %(n)s minutes.",
        minutes,
    ) % {"n": minutes}
    answer = HttpResponse(f"{text}\n", status=429, content_type="text/plain; charset=utf-8")
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "no-store"
    # The throttle has logged the burst; Django would log each of its requests.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
