"""The pages of a webhook that change where it sends what, and that send events again."""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..models import Webhook, WebhookDelivery
from ..models.webhook_delivery import NoSuchEvent
from ..redaction import redacted
from .kit.actions import ReasonForm, Text
from .kit.read_only import operator
from .kit.receiver_url import ReceiverAdmin
from .webhook_form import EditForm, ReplayForm

EDITED: Final = ("url", "event_types", "description")


class ChangeableWebhooks(ReceiverAdmin[Webhook]):
    """Adds these pages, and a button for each."""

    def get_urls(self) -> list[URLPattern]:
        """The URLs of both pages, before those of the rest."""
        wrap, prefix = self.admin_site.admin_view, "grant_management_webhook"
        return [
            path("<uuid:pk>/edit/", wrap(self.edit_view), name=f"{prefix}_edit"),
            path("<uuid:pk>/replay/", wrap(self.replay_view), name=f"{prefix}_replay"),
            *super().get_urls(),
        ]

    def buttons(self, request: HttpRequest, row: Webhook) -> list[tuple[Text, str]]:
        """Those of both pages for whoever may; a disabled webhook is sent nothing again."""
        shown = super().buttons(request, row)
        if not self.may_manage(request):
            return shown
        again = [(_("Send events again…"), self.url("replay", row))]
        return [(_("Change…"), self.url("edit", row)), *shown, *(again if _is_on(row) else [])]

    @redacted
    def edit_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Change the URL, the types of events and the description; the event has who did it."""
        webhook = self._webhook(request, pk)
        form = EditForm(request.POST or None, initial={n: getattr(webhook, n) for n in EDITED})
        if request.method != "POST" or not form.is_valid():
            return self._ask_about(request, webhook, _("Change webhook"), form)
        fields = {name: form.cleaned_data[name] for name in EDITED}
        try:
            is_changed = webhook.change(operator(request), form.why(), **fields)
        except Webhook.DoesNotExist:  # it was deleted meanwhile
            raise Http404 from None
        said = _("The webhook was changed.") if is_changed else _("Nothing was changed.")
        return self._leave(request, webhook, said)

    def replay_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Send one event again, or those of a span of time."""
        webhook = self._webhook(request, pk)
        form = ReplayForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and _is_on(webhook):
            try:
                return self._replayed(request, webhook, form)
            except NoSuchEvent:
                form.add_error("event", _("The service has published no event of this number."))
        return self._ask_about(request, webhook, _("Send events again"), form)

    def _replayed(self, request: HttpRequest, webhook: Webhook, form: ReplayForm) -> HttpResponse:
        values, by, why = form.cleaned_data, operator(request), form.why()
        rows = WebhookDelivery.objects
        if values["event"]:
            count, is_complete = rows.replay_event(webhook, by, values["event"], why), True
        else:
            span = values["first"], values["until"] or clock.now()
            count, is_complete = rows.replay_span(webhook, by, *span, why)
        if not is_complete:
            messages.warning(
                request, _("The span has more events than are sent at once: send the rest, too.")
            )
        said = _("Events that are sent again: %(number)s.") % {"number": count}
        return self._leave(request, webhook, said)

    def _webhook(self, request: HttpRequest, pk: Any) -> Webhook:
        """The webhook, for whoever may manage it. Http404: the operator sees no such webhook."""
        self.check_may_manage(request)
        webhook = self.get_object(request, str(pk))
        if webhook is None:
            raise Http404
        return webhook

    def _ask_about(
        self, request: HttpRequest, webhook: Webhook, title: Text, form: ReasonForm
    ) -> HttpResponse:
        page = self.url("change", webhook)
        lines = [] if _is_on(webhook) else [_("The webhook is disabled: nothing is sent there.")]
        return self.page(
            request, "action.html", title, form=form, row=webhook, page=page, lines=lines
        )

    def _leave(self, request: HttpRequest, webhook: Webhook, said: Any) -> HttpResponse:
        messages.success(request, said)
        return HttpResponseRedirect(self.url("change", webhook))


def _is_on(webhook: Webhook) -> bool:
    return webhook.disabled_at is None
