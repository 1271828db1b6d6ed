"""Forms that take effect once, since their answer shows a value once."""

import secrets
from typing import Any, Final

from django import forms
from django.http import HttpRequest

ONCE: Final = "grant_management_once"
"""The key, in a login session, of the forms that were sent."""


class OnceForm(forms.Form):
    """A form that takes effect once: sending the same page again does nothing."""

    once = forms.CharField(widget=forms.HiddenInput)


def fresh(request: HttpRequest, **more: Any) -> dict[str, Any]:
    """The initial data of a form: a new `once`, unless the form is being sent."""
    return more if request.method == "POST" else {"once": secrets.token_urlsafe(16), **more}


def first_time(request: HttpRequest, once: str) -> bool:
    """Whether this form is sent for the first time in this login session."""
    sent = list(request.session.get(ONCE, []))
    if once in sent:
        return False
    # Only the last 20, so that the session stays small.
    request.session[ONCE] = [*sent, once][-20:]
    return True
