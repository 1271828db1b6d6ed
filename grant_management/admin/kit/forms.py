"""What every form does with errors: the page's title says so, and the first field has the focus."""

from collections.abc import Iterable
from typing import Any

from django.forms import BaseForm


def has_errors(values: Iterable[Any]) -> bool:
    """Whether a form among the values was refused. The first field that was gets the focus."""
    forms = [one for one in values if isinstance(one, BaseForm) and one.is_bound and one.errors]
    for form in forms[:1]:
        _focus(form)
    return bool(forms)


def _focus(form: BaseForm) -> None:
    """Mark the first field with an error, as the browser focuses it without a script."""
    wrong = (field for field in form.visible_fields() if field.errors)
    if (first := next(wrong, None)) is not None:
        first.field.widget.attrs["autofocus"] = True
