"""The navigation of the admin by task: an operator need not know the names of the tables."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..models import Service
from .kit.address import addresses
from .kit.database import CHOSEN, databases, number
from .kit.read_only import limited
from .related import page_url
from .search_kinds import KINDS

Text = str | Promise


@dataclass(frozen=True)
class Task:
    """An entry: its label, and the page of a model's admin that it leads to.

    `page` is the end of the page's name. An operator who lacks the `permission` is led to the list.
    `of_service`: the page can be limited to one service by `service` in its query.
    """

    label: Text
    model: str
    page: str = "changelist"
    permission: str = ""
    app: str = "grant_management"
    of_service: bool = False

    @property
    def section(self) -> str:
        """What a page below this entry has as `section` in its context; the list is the default."""
        return self.page if self.page in ("people", "codes", "start") else "changelist"


MAIN: Final = (
    Task(_("Overview"), "dailycount", of_service=True),
    Task(_("People"), "grant", "people", of_service=True),
    Task(_("Grants"), "grant", of_service=True),
    Task(_("Clients"), "client", of_service=True),
    Task(_("Revoke by filter"), "sweep", "start", "grant_management.start_sweep", of_service=True),
    Task(_("Calls"), "call", of_service=True),
    Task(_("Events"), "grantevent", of_service=True),
)
SETTINGS: Final = (
    Task(_("Organizations"), "organization"),
    Task(_("Services"), "service"),
    Task(_("Descriptions"), "description", of_service=True),
    Task(_("Clients' profiles"), "clientprofile", of_service=True),
    Task(_("API tokens"), "apitoken"),
    Task(_("Webhooks"), "webhook"),
    Task(_("Webhook deliveries"), "webhookdelivery"),
    Task(_("Streams"), "stream"),
    Task(_("Operators"), "organizationmember"),
    Task(_("Organization events"), "organizationevent"),
)
ADVANCED: Final = (
    Task(_("Access tokens"), "accesstoken", of_service=True),
    Task(_("Refresh tokens"), "refreshtoken", of_service=True),
    Task(_("DPoP nonces"), "dpopnonce", of_service=True),
    Task(_("Jobs"), "sweep", of_service=True),
    Task(_("Result codes"), "call", "codes"),
)


def navigation(context: Context) -> dict[str, Any]:
    """The context of the template `navigation.html`; without entries for whoever may see none."""
    request: HttpRequest = context.request  # type: ignore[attr-defined]
    chosen = _chosen(request)
    menu = _Menu(request, context, chosen)
    return {
        "main": menu.entries(MAIN),
        "menus": [
            (label, entries, any(entry["current"] for entry in entries))
            for label, tasks in ((_("Settings"), (*SETTINGS, *_users())), (_("Advanced"), ADVANCED))
            if (entries := menu.entries(tasks))
        ],
        "service": chosen or _of_row(context),
        "all_services": _without_service(request) if chosen else "",
        "databases": _databases(request),
        "search_url": page_url(request, "grant_find") if menu.may_search() else "",
    }


def under_their_labels(apps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A site's list of apps, whose models have the labels of their lists as names, in the order of
    these.
    """
    tasks = (*MAIN, *SETTINGS, *ADVANCED, *_users())
    labels = {(one.app, one.model): one.label for one in tasks if one.page == "changelist"}

    def named(app: dict[str, Any]) -> list[dict[str, Any]]:
        keys = [(app["app_label"], one["object_name"].lower()) for one in app["models"]]
        models = zip(app["models"], keys, strict=True)
        shown = [one | {"name": labels.get(key, one["name"])} for one, key in models]
        return sorted(shown, key=lambda one: str(one["name"]).casefold())

    return [app | {"models": named(app)} for app in apps]


def _databases(request: HttpRequest) -> list[tuple[str, str]]:
    """The databases and the URL that shows each, "" for the one that is shown; [] where all
    services are in one.
    """
    overview = page_url(request, "dailycount_changelist")
    return [
        (alias, "" if is_shown else f"{overview}?{CHOSEN}={alias}")
        for alias, is_shown in databases(request)
    ]


class _Menu:
    """The entries for one page. The site's own list of models says what this operator may see."""

    def __init__(self, request: HttpRequest, context: Context, chosen: Service | None) -> None:
        self.request = request
        self.query = f"?service={chosen.pk}" if chosen else ""
        opts = context.get("opts") or getattr(context.get("cl"), "opts", None)
        self.here = (getattr(opts, "app_label", ""), getattr(opts, "model_name", ""))
        self.section = context.get("section") or "changelist"
        self.addresses = addresses(getattr(request, "current_app", None))
        self.known = {
            (app["app_label"], model["object_name"].lower())
            for app in context.get("available_apps") or ()
            for model in app["models"]
            if model.get("admin_url")
        }

    def entries(self, tasks: tuple[Task, ...]) -> list[dict[str, Any]]:
        """The label and URL of each entry, and whether it is the page's own."""
        urls = [(task, self.url(task)) for task in tasks]
        return [
            {
                "label": task.label,
                "url": url + (self.query if task.of_service else ""),
                "current": (task.app, task.model) == self.here and task.section == self.section,
            }
            for task, url in urls
            if url
        ]

    def may_search(self) -> bool:
        """Whether the operator may see a kind of row that the search looks for."""
        models = {model for kind in KINDS for model in kind.models}
        sought = {("grant_management", model._meta.model_name) for model in models}
        return not sought.isdisjoint(self.known)

    def url(self, task: Task) -> str:
        """The URL at this admin site; "": the operator may not see it, or there is no such page."""
        if (task.app, task.model) not in self.known:
            return ""
        lacks = task.permission and not self.request.user.has_perm(task.permission)
        name = f"admin:{task.app}_{task.model}_{'changelist' if lacks else task.page}"
        try:
            return self.addresses[name]
        except NoReverseMatch:  # a host may have an admin of its own for the model
            return ""


def _users() -> tuple[Task, ...]:
    """The lists of users and their groups, where the site has them."""
    user = get_user_model()._meta
    return (
        Task(_("Users"), user.model_name or "", app=user.app_label),
        Task(_("Roles"), "group", app="auth"),
    )


def _chosen(request: HttpRequest) -> Service | None:
    """The service that the query names, if this operator sees it; None: all services."""
    wanted = number(request.GET.get("service", ""))
    if wanted is None:
        return None
    return limited(Service.objects.all(), request, "organization").filter(pk=wanted).first()


def _of_row(context: Context) -> Service | None:
    """The service of the row that the page is about; None: it is about all services."""
    for name in ("original", "row", "service"):
        row = context.get(name)
        service = row if isinstance(row, Service) else getattr(row, "service", None)
        if isinstance(service, Service):
            return service
    return None


def _without_service(request: HttpRequest) -> str:
    """The query of this page for all services, from its beginning."""
    query = request.GET.copy()
    for name in ("service", "after", "before"):
        query.pop(name, None)
    return f"?{query.urlencode()}"
