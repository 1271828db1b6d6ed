"""The forms that create a client and rename one."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ..fields import members as m
from ..models import Actor, Client, Service
from ..models.client import ClientRefused
from .kit import form_fields
from .kit.reasons import NoteForm


class NewClientForm(NoteForm):
    """A new client of a service."""

    service = form_fields.RowField(Service.objects.none(), label=_("Service"))
    client_id = form_fields.text(m.CLIENT_ID, label=_("Client ID"))
    name = form_fields.text(m.CLIENT_NAME, label=_("Name"), required=False)
    field_order = ("service", "client_id", "name", "note", "ticket")

    def __init__(self, *args: Any, services: "QuerySet[Service]", **kw: Any) -> None:
        super().__init__(*args, **kw)
        form_fields.offer(self.fields["service"], services)

    def save(self, actor: Actor) -> Client:
        """Create the client, with its event. ValidationError: the service has or had this ID."""
        values, why = self.cleaned_data, self.why()
        try:
            return Client.objects.put(
                values["service"],
                values["client_id"],
                actor,
                why,
                name=values["name"],
                must_be_new=True,
            )[0]
        except ClientRefused:
            said = _("The service has a client with this ID, or had one that was deleted.")
            raise forms.ValidationError({"client_id": said}) from None


class RenameForm(NoteForm):
    """Another name of a client. Its client ID cannot be changed: grants and tokens refer to it."""

    name = form_fields.text(m.CLIENT_NAME, label=_("Name"), required=False)
    field_order = ("name", "note", "ticket")

    def save(self, row: Client, actor: Actor) -> Client:
        """Write the name, with its event. ValidationError: the client was deleted."""
        name, why = self.cleaned_data["name"], self.why()
        try:
            return Client.objects.put(row.service, row.client_id, actor, why, name=name)[0]
        except ClientRefused:
            raise forms.ValidationError(_("The client was deleted.")) from None
