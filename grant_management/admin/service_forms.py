"""The forms that create a service and change its settings, by the rules that an import uses."""

from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ..fields import members as m
from ..models import Actor, Organization, Service
from .kit import form_fields
from .kit.reasons import NoteForm, ReasonForm
from .service_page import GROUPS, SAID

NAMES: Final = [name for _group, names in GROUPS for name in names]
FIRST_LOG: Final = 1_000
"""Calls that a service keeps which was created in the browser, unless another number is typed."""


def _help(name: str) -> Any:
    field: Any = Service._meta.get_field(name)
    return field.help_text


def _named(name: str) -> dict[str, Any]:
    """Label and help of a field that the model would otherwise give to its own form field."""
    field: Any = Service._meta.get_field(name)
    return {"label": capfirst(field.verbose_name), "help_text": field.help_text}


class SettingsForm(ReasonForm, forms.ModelForm):  # type: ignore[type-arg]
    """All settings of a service, and the reason for changing them."""

    dpop_signing_algs = form_fields.choices(m.SIGNING_ALGS, **_named("dpop_signing_algs"))
    actions_supported = form_fields.choices(m.ACTIONS_SUPPORTED, **_named("actions_supported"))
    self_service_origins = form_fields.LinesField(required=False, **_named("self_service_origins"))
    field_order = (*NAMES, "reason", "note", "ticket")

    class Meta:
        model = Service
        fields = NAMES
        help_texts = SAID

    def clean(self) -> dict[str, Any]:
        """The values, each read by the rule that an import uses, with that rule's errors."""
        values: dict[str, Any] = super().clean() or {}
        for member in m.SETTINGS:
            if member.name in values:
                try:
                    values[member.name] = form_fields.taken(member, values[member.name])
                except forms.ValidationError as error:
                    self.add_error(member.name, error)
        return values

    def change(self, actor: Actor) -> list[str]:
        """Write the settings that differ: their names."""
        settings = {name: getattr(self.instance, name) for name in NAMES}
        changed: list[str] = self.instance.change(settings, actor, self.why())
        return changed


class NewServiceForm(NoteForm):
    """A new service: of which organization, its name and endpoint. It has the default settings,
    apart from a log of calls, which shows why a first call is refused.
    """

    organization = form_fields.RowField(Organization.objects.none(), label=_("Organization"))
    name = form_fields.text(m.NAME, label=_("Name"), help_text=_("What operators see"))
    grant_management_endpoint = forms.CharField(
        label=_("Grant management endpoint"),
        required=False,
        validators=[form_fields.follows(m.ENDPOINT)],
        help_text=_("Where clients call; a slash and the grant ID follow it. It can be set later."),
    )
    call_log_size = forms.IntegerField(
        label=_("Calls that are kept in the log"),
        initial=FIRST_LOG,
        validators=[form_fields.follows(m.CALL_LOG_SIZE)],
        help_text=_help("call_log_size"),
    )
    field_order = (
        "organization",
        "name",
        "grant_management_endpoint",
        "call_log_size",
        "note",
        "ticket",
    )

    def __init__(self, *args: Any, organizations: "QuerySet[Organization]", **kw: Any) -> None:
        super().__init__(*args, **kw)
        form_fields.offer(self.fields["organization"], organizations)

    def made(self) -> Service:
        """The new service, unsaved."""
        names = ("organization", "name", "grant_management_endpoint", "call_log_size")
        return Service(**{name: self.cleaned_data[name] for name in names})
