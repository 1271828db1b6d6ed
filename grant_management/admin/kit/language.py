"""The language of the console: the one that the operator chose, else that of the host."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext_noop, override

from .preference import preference_of

_CATALOGUES: Final = Path(__file__).parents[2] / "locale"
TEXTS: Final = frozenset({"en", *(path.name for path in _CATALOGUES.glob("[a-z]*"))})
"""The languages that this app has texts in."""
OF_DJANGO: Final = (gettext_noop("Run"), gettext_noop("- Select an option -"))
"""Texts on pages of Django 6.1 that its own catalogues lack in these languages. Ours have them."""
View = Callable[..., HttpResponse]


def offered() -> dict[str, str]:
    """The languages of the host that this app has texts in: the code and its own name of each.

    {}: the host has not several, so there is nothing to choose.
    """
    if not settings.USE_I18N:
        return {}
    codes = [code for code, _name in settings.LANGUAGES if code.partition("-")[0] in TEXTS]
    named = {code: str(get_language_info(code)["name_local"]) for code in codes}
    return named if len(named) > 1 else {}


def spoken(language: str) -> AbstractContextManager[Any]:
    """In this context the texts are in this language, if it is offered; else in the active one."""
    return override(language) if language in offered() else nullcontext()


def in_operators_language(view: View) -> View:
    """The view, whose page and messages are in the language that the operator chose."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # A site and a page of it may both do this. The outer one renders, once the page is framed.
        if getattr(request, "_is_in_operators_language", False):
            return view(request, *args, **kwargs)
        request._is_in_operators_language = True  # type: ignore[attr-defined]
        with spoken(preference_of(request).language):
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                response.render()
            _settle_messages(request)
            return response

    return answer


def _settle_messages(request: HttpRequest) -> None:
    """Turn lazy messages into texts here: Django stores them once the page is left."""
    for message in getattr(get_messages(request), "_queued_messages", ()):
        if isinstance(message.message, Promise):
            message.message = str(message.message)
