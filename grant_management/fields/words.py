"""The words of rules: English in an answer of the API, and the language of the page in a form."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

T = TypeVar("T")
_is_for_page: Final[ContextVar[bool]] = ContextVar("grant_management_rules", default=False)


def rule(text: str, **values: Any) -> str:
    """A part of a rule with its values filled in: translated where a page shows it."""
    return (gettext(text) if _is_for_page.get() else text) % values


def read_for_page(read: Callable[[], T]) -> T:
    """What `read` returns. ValidationError: it refused the value; the text says the rule."""
    token = _is_for_page.set(True)
    try:
        return read()
    except ValueError as error:
        raise ValidationError(gettext("It %(rule)s.") % {"rule": error}) from None
    finally:
        _is_for_page.reset(token)
