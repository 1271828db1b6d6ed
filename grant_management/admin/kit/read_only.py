"""The base of all pages: each shows only what its operator may see, and changes nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from ...db.counting import bounded_count
from ...db.of_service import at_services
from ...db.service_row import OfService
from ...models import Actor, OrganizationMember, Service
from . import utc
from .address import ANY_KEY, addresses, of_rows
from .forms import has_errors
from .frame import framed

M = TypeVar("M", bound=models.Model)
R = TypeVar("R", bound=models.Model)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
else:

    class ModelAdmin(admin.ModelAdmin):
        """Django's class, which takes a type parameter only in the stubs of type checkers."""

        def __class_getitem__(cls, model: type[models.Model]) -> type:
            return cls


def organizations(request: HttpRequest) -> list[int] | None:
    """The numbers of the organizations that the operator sees; None: all. At most 1 query for each
    request.
    """
    if not hasattr(request, _SEEN):
        setattr(request, _SEEN, OrganizationMember.objects.organizations_of(request.user))
    seen: list[int] | None = getattr(request, _SEEN)
    return seen


_SEEN: Final = "_grant_management_organizations"


def limited(
    rows: "models.QuerySet[R]", request: HttpRequest, organization_path: str
) -> "models.QuerySet[R]":
    """The rows of the operator's organizations.

    `organization_path` is the lookup that leads from a row to its organization.
    """
    limits = organizations(request)
    return rows if limits is None else rows.filter(**{f"{organization_path}__in": limits})


def named(rows: "models.QuerySet[R]", request: HttpRequest) -> "models.QuerySet[R]":
    """The same rows; those of services with the services that the operator sees."""
    if not issubclass(rows.model, OfService):
        return rows
    seen = limited(Service.objects.all(), request, "organization")
    return rows.filter(at_services(seen.values("pk")))


def operator(request: HttpRequest) -> Actor:
    """The user of the admin, as the actor of an event."""
    return Actor.operator(request.user.get_username(), request.user.pk)


_NO_MEMBER: Final = _(
    "You are a member of no organization, so nothing is shown here. An administrator can add you to"
    " one, or to all, under Operators."
)


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that does not count a whole table."""

    @cached_property
    def count(self) -> int:
        """The number of rows, exact up to `COUNT_LIMIT`; the limit plus one means more."""
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        return bounded_count(rows)


class ReadOnlyAdmin(ModelAdmin[M]):
    """An admin that shows a model to operators who may view it. No page shows a whole digest.

    An operator sees only the organizations that they are a member of. `get_queryset` ensures that
    for everything built on it: lists, search, counts, exports, and pages reached by their URL.
    """

    class Media:
        css = {
            "all": [
                f"grant_management/{name}.css"
                for name in ("admin", "overview", "console", "forms", "receipt", "lists", "charts")
            ]
        }
        js = [f"grant_management/{name}.js" for name in ("admin", "forms", "lists")]

    exclude = ("digest",)
    show_full_result_count = False
    paginator = BoundedPaginator
    organization_path = "service__organization"
    manage_permission = ""
    """The permission, with the app's label, that pages need which change rows."""
    filter_lookups: frozenset[str] = frozenset()
    """The lookups of `list_filter`."""
    formfield_overrides = {
        models.DateTimeField: {"form_class": utc.UTCDateTimeField, "widget": forms.TextInput}
    }
    change_list_template = "admin/grant_management/change_list.html"
    object_history_template = "admin/grant_management/object_history.html"

    @property
    def urls(self) -> list[Any]:
        """The URLs of all pages of this model, each in its frame (see `frame`)."""
        return [framed(route, self) for route in self.get_urls()]

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[M]":
        """The rows of the operator's organizations."""
        return limited(super().get_queryset(request), request, self.organization_path)

    def at_services(self, request: HttpRequest) -> "models.QuerySet[M]":
        """The rows of the operator's organizations, to look for some by their keys: rows of
        services at the services of these.
        """
        return named(self.get_queryset(request), request)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> M | None:
        """The row with this key, at the services that the operator sees; None: there is none.

        A page that changes nothing reads it once.
        """
        if request.method != "GET":
            return self._with_key(request, object_id)
        known = request.__dict__.setdefault("_grant_management_rows", {})
        key = (self.model, object_id)
        if key not in known:
            known[key] = self._with_key(request, object_id)
        row: M | None = known[key]
        return row

    def _with_key(self, request: HttpRequest, object_id: str) -> M | None:
        try:
            return self.at_services(request).get(pk=self.opts.pk.to_python(object_id))
        except (ObjectDoesNotExist, ValidationError, ValueError):
            return None

    def may_manage(self, request: HttpRequest) -> bool:
        """Whether the operator may see the rows and change them."""
        return request.user.has_perm(self.manage_permission) and self.has_view_permission(request)

    def check_may_manage(self, request: HttpRequest) -> None:
        """PermissionDenied: the operator may not."""
        if not self.may_manage(request):
            raise PermissionDenied

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Whether a lookup in a query string is one of the list's own filters.

        Django answers 400 to all others. So nobody can find out a digest by comparing, and no
        column is compared with a value that it cannot hold. The large lists have a form instead.
        """
        return lookup in self.filter_lookups

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns of the list, with times in UTC and marked so."""
        return [self._in_utc(name) for name in super().get_list_display(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The fields of a row's page, with times in UTC where the page is read-only."""
        names = list(super().get_fields(request, obj))
        shows = obj is not None and not self.has_change_permission(request, obj)
        return [self._in_utc(name) for name in names] if shows else names

    def _in_utc(self, name: Any) -> Any:
        """For the name of a time, a function that shows it in UTC; any other name unchanged."""
        field = {one.name: one for one in self.opts.fields}.get(name)
        return utc.column(field) if isinstance(field, models.DateTimeField) else name

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The row's page. Http404 for a row that does not exist or is of another organization: the
        operator cannot tell which.
        """
        if self.get_object(request, object_id) is None:
            raise Http404
        return super().change_view(request, object_id, form_url, extra_context)

    def page(
        self, request: HttpRequest, template: str, title: str | Promise, **context: Any
    ) -> HttpResponse:
        """A page from a template in `admin/grant_management/`, in the frame of this admin site."""
        self._say_why_nothing_is_shown(request)
        request.current_app = self.admin_site.name
        site = self.admin_site.each_context(request)
        frame = {**site, "title": title, "opts": self.opts, "media": self.media}
        frame |= {"list_url": self.url("changelist"), "suggest_url": self._suggest_url()}
        frame["has_errors"] = has_errors(context.values())
        return TemplateResponse(request, f"admin/grant_management/{template}", frame | context)

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """The labels and URLs of the buttons above the list; here none."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's list, with `tools`, and with a warning for a member of no organization."""
        self._say_why_nothing_is_shown(request)
        context = {"tools": self.tools(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def _say_why_nothing_is_shown(self, request: HttpRequest) -> None:
        if organizations(request) == [] and request.method == "GET":
            messages.warning(request, _NO_MEMBER)

    def _suggest_url(self) -> str:
        return addresses(self.admin_site.name)["admin:grant_management_client_suggest"]

    def url(self, page: str, row: models.Model | None = None) -> str:
        """The URL, at this admin site, of a page of this model or of one row.

        `page` is the end of the URL's name: `changelist`, `change`, or that of an action.
        """
        name = f"admin:grant_management_{self.opts.model_name}_{page}"
        if row is None:
            return addresses(self.admin_site.name)[name]
        return reverse(name, args=[row.pk], current_app=self.admin_site.name)

    def url_of(self, page: str) -> Callable[[models.Model], str]:
        """A function that makes this URL for each row of a list."""
        made = of_rows(self.url(page, self.model(pk=ANY_KEY)))
        return lambda row: made(row.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: rows come from the API, the commands and the import."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what an operator may change has a page of its own."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: revoked rows stay visible, and expired rows are deleted by the purge."""
        return False
