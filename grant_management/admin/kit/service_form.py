"""Forms whose field `service` offers what the operator sees."""

from typing import Any, Self, cast

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from .read_only import limited


class ServiceForm(forms.Form):
    """A form with a field `service`, a `ModelChoiceField` that the class below declares."""

    def limit(self, request: HttpRequest) -> Self:
        """Limit the services to those that this operator sees, and return the form."""
        field = cast("forms.ModelChoiceField[Any]", self.fields["service"])
        rows = cast("QuerySet[Any]", field.queryset)
        field.queryset = limited(rows, request, "organization")
        return self
