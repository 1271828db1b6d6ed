"""Webhooks: registered, tested, enabled, disabled and deleted; their keys rotated."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..db.encryption import CannotDecrypt
from ..models import Actor, EventKind, Reason, Webhook, WebhookDelivery
from ..models.receiver import AT_MOST, TooManyReceivers
from ..redaction import redacted
from .kit.actions import ObjectAction, Text
from .kit.display import state, time_tag
from .kit.list_table import fields
from .kit.once import first_time, fresh
from .kit.read_only import operator
from .kit.short_filters import PeriodFilter, ServiceFilter, StateFilter
from .kit.short_list import ShortListAdmin
from .related import may_view, page_url
from .webhook_change import ChangeableWebhooks
from .webhook_form import RegisterForm, RotateKeyForm

MANAGE: Final = "manage_webhook"
Described = Callable[[Webhook], Iterable[Text]]


def _says(text: Text) -> Described:
    return lambda webhook: [text, webhook.url]


def _test(webhook: Webhook, actor: Actor, why: Reason) -> bool:
    return bool(WebhookDelivery.objects.test(webhook, actor, why))


def _enable(webhook: Webhook, actor: Actor, why: Reason) -> bool:
    return webhook.change(actor, why, enabled=True)


def _disable(webhook: Webhook, actor: Actor, why: Reason) -> bool:
    return webhook.change(actor, why, enabled=False)


def _action(name: str, label: Text, kind: EventKind, said: Text, **more: Any) -> ObjectAction:
    return ObjectAction(
        name=name,
        permission=MANAGE,
        label=label,
        kind=kind,
        describe=_says(said),
        **{"applies": lambda webhook: True} | more,
    )


ACTIONS: Final = (
    _action(
        "test",
        _("Test"),
        EventKind.WEBHOOK_TESTED,
        _("The event webhook.tested is sent there."),
        perform=_test,
        applies=lambda webhook: webhook.disabled_at is None,
    ),
    _action(
        "disable",
        _("Disable"),
        EventKind.WEBHOOK_CHANGED,
        _("Nothing is sent there until it is enabled. Events of that time are not sent later."),
        perform=_disable,
        applies=lambda webhook: webhook.disabled_at is None,
    ),
    _action(
        "enable",
        _("Enable"),
        EventKind.WEBHOOK_CHANGED,
        _("Events are sent there from now on."),
        perform=_enable,
        applies=lambda webhook: webhook.disabled_at is not None,
    ),
    _action(
        "remove",
        _("Delete"),
        EventKind.WEBHOOK_DELETED,
        _("Its keys are deleted with it, and the purge deletes the log of its deliveries."),
        perform=Webhook.remove,
    ),
)


def _deliveries(request: HttpRequest, webhook: Webhook) -> list[tuple[Text, str]]:
    """The list of what was sent there, for operators who may see it."""
    url = page_url(request, "webhookdelivery_changelist")
    if not (url and may_view(request, "webhookdelivery")):
        return []
    return [(_("Deliveries"), f"{url}?webhook__id__exact={webhook.pk}")]


class WebhookStateFilter(StateFilter):
    """By whether events are sent there."""

    states = {
        "active": (_("Enabled"), lambda now: Q(disabled_at=None)),
        "disabled": (_("Disabled"), lambda now: Q(disabled_at__isnull=False)),
    }


def _status(webhook: Webhook) -> str:
    return "active" if webhook.disabled_at is None else "disabled"


@admin.register(Webhook)
class WebhookAdmin(ShortListAdmin[Webhook], ChangeableWebhooks):
    """Webhooks, without their keys."""

    object_actions = ACTIONS
    manage_permission = f"grant_management.{MANAGE}"
    list_display = ("name", "service", "status", "failures", "created")
    list_select_related = ("service",)
    list_filter = (ServiceFilter, WebhookStateFilter, PeriodFilter)
    file_name = "webhooks"
    exported = {
        "name": fields("id", "description"),
        "service": fields("service_id"),
        "status": {"status": _status},
        "failures": fields("failures"),
        "created": fields("created_at"),
    }
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Webhook]":
        """Without those that were deleted."""
        return super().get_queryset(request).filter(deleted_at=None)

    @admin.display(description=_("webhook"))
    def name(self, webhook: Webhook) -> str:
        """Its description, or its ID: the URL is on its page alone."""
        return str(webhook)

    @admin.display(description=_("status"))
    def status(self, webhook: Webhook) -> Any:
        """Enabled or disabled, as an icon and a word."""
        name = _status(webhook)
        css = "active" if name == "active" else "revoked"
        return state(css, WebhookStateFilter.states[name][0])

    @admin.display(description=_("created"))
    def created(self, webhook: Webhook) -> str:
        """When it was registered."""
        return time_tag(webhook.created_at)

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list, of a webhook and its actions, and those that show a key."""
        wrap, prefix = self.admin_site.admin_view, "grant_management_webhook"
        return [
            path("register/", wrap(self.register_view), name=f"{prefix}_register"),
            path("<uuid:pk>/rotate/", wrap(self.rotate_view), name=f"{prefix}_rotate"),
            *super().get_urls(),
        ]

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """A button to register a webhook, for operators who may."""
        return [(_("Register…"), self.url("register"))] if self.may_manage(request) else []

    def buttons(self, request: HttpRequest, row: Webhook) -> list[tuple[Text, str]]:
        """Those of the actions, that to rotate the key, and the link to its deliveries."""
        rotate = [(_("Rotate key…"), self.url("rotate", row))] if self.may_manage(request) else []
        return [*super().buttons(request, row), *rotate, *_deliveries(request, row)]

    @redacted
    def register_view(self, request: HttpRequest) -> HttpResponse:
        """Register a webhook. The response shows its key, which no page shows again."""
        self.check_may_manage(request)
        form = RegisterForm(request.POST or None, initial=fresh(request)).limit(request)
        if request.method == "POST" and form.is_valid():
            values = dict(form.cleaned_data)
            make = lambda: Webhook.objects.register(actor=operator(request), **values)[1]  # noqa: E731
            return self._once(request, values.pop("once"), make)
        page = self.url("changelist")
        return self.page(request, "action.html", _("Register webhook"), form=form, page=page)

    @redacted
    def rotate_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Give the webhook a new key, shown once; the one before it signs for a day longer."""
        self.check_may_manage(request)
        webhook = self.get_object(request, str(pk))
        if webhook is None:
            raise Http404
        form = RotateKeyForm(request.POST or None, initial=fresh(request))
        if request.method == "POST" and form.is_valid():
            values = dict(form.cleaned_data)
            once, signature = values.pop("once"), values.pop("signature")
            why = Reason(**values)
            make = lambda: webhook.rotate(operator(request), why, signature=signature)  # noqa: E731
            return self._once(request, once, make)
        lines, page = (
            [webhook.url, _("The old key signs for a day longer.")],
            self.url("changelist"),
        )
        title = _("Rotate key")
        return self.page(request, "action.html", title, form=form, lines=lines, page=page)

    def _once(self, request: HttpRequest, once: str, make: Callable[[], str]) -> HttpResponse:
        """The page with what `make` returns, if the form is sent for the first time."""
        page = self.url("changelist")
        if not first_time(request, once):
            messages.warning(request, _("This form was already sent. A key is shown only once."))
            return HttpResponseRedirect(page)
        try:
            value = make()
        except CannotDecrypt:
            messages.error(request, _("This server has no ENCRYPTION_KEYS for webhooks."))
            return HttpResponseRedirect(page)
        except TooManyReceivers:
            said = _("A service can have %(number)s webhooks at most.") % {"number": AT_MOST}
            messages.error(request, said)
            return HttpResponseRedirect(page)
        template, label = "apitoken/shown_once.html", _("Key for the receiver")
        title = _("Key of a webhook")
        response = self.page(request, template, title, value=value, page=page, label=label)
        response["Cache-Control"] = "no-store"
        return response
