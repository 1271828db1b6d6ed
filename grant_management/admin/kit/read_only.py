"""What every page has in common: it shows what its operator may see, and changes nothing."""

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from ...db.counting import bounded_count
from ...fields.members import MAX_ID
from ...models import Actor, OrganizationMember
from . import utc

M = TypeVar("M", bound=models.Model)
R = TypeVar("R", bound=models.Model)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
else:

    class ModelAdmin(admin.ModelAdmin):
        """Django's, which takes a parameter only in the eyes of a type checker."""

        def __class_getitem__(cls, model: type[models.Model]) -> type:
            return cls


def organizations(request: HttpRequest) -> list[int] | None:
    """The organizations that an operator sees; None: all. Asked once for each request."""
    if not hasattr(request, _SEEN):
        setattr(request, _SEEN, OrganizationMember.objects.organizations_of(request.user))
    seen: list[int] | None = getattr(request, _SEEN)
    return seen


_SEEN: Final = "_grant_management_organizations"


def limited(
    rows: "models.QuerySet[R]", request: HttpRequest, organization_path: str
) -> "models.QuerySet[R]":
    """Those of the operator's organizations; `organization_path` leads from a row to its own."""
    limits = organizations(request)
    return rows if limits is None else rows.filter(**{f"{organization_path}__in": limits})


def number(text: str) -> int | None:
    """The number of a service out of a query string; None: it is none that a service can have."""
    is_short = len(text) <= len(str(MAX_ID)) and text.isdecimal()
    return int(text) if is_short and int(text) <= MAX_ID else None


def operator(request: HttpRequest) -> Actor:
    """Who works in the admin, for the events."""
    return Actor.operator(request.user.get_username(), request.user.pk)


_NO_MEMBER: Final = _(
    "You are a member of no organization, so nothing is shown here. An administrator can add you to"
    " one, or to all, under Organization members."
)


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than it must."""

    @cached_property
    def count(self) -> int:
        """Exact up to the limit; one more than that means: more."""
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        return bounded_count(rows)


class ReadOnlyAdmin(ModelAdmin[M]):
    """A model to be seen by those who may. Digests are on no page.

    An operator sees the organizations that they are a member of and nothing else, here or in what
    builds on `get_queryset`: lists, search, counts, exports, and pages by their URL.
    """

    class Media:
        css = {"all": ["grant_management/admin.css", "grant_management/overview.css"]}
        js = ["grant_management/admin.js"]

    exclude = ("digest",)
    show_full_result_count = False
    paginator = BoundedPaginator
    organization_path = "service__organization"
    formfield_overrides = {
        models.DateTimeField: {"form_class": utc.UTCDateTimeField, "widget": forms.TextInput}
    }
    object_history_template = "admin/grant_management/object_history.html"

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[M]":
        """What this operator sees."""
        return limited(super().get_queryset(request), request, self.organization_path)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """None: a list is narrowed by its own form, so that no digest is found by comparing, and
        no value of a query string reaches a column that cannot hold it. Django answers 400.
        """
        return False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Times in UTC, and named so."""
        return [self._in_utc(name) for name in super().get_list_display(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Likewise on a page of Django's own that shows and changes nothing."""
        names = list(super().get_fields(request, obj))
        shows = obj is not None and not self.has_change_permission(request, obj)
        return [self._in_utc(name) for name in names] if shows else names

    def _in_utc(self, name: Any) -> Any:
        """What shows a column of times; anything else stays the name that it is."""
        field = {one.name: one for one in self.opts.fields}.get(name)
        return utc.column(field) if isinstance(field, models.DateTimeField) else name

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """404 for what is not there, or not this operator's: the two look the same."""
        if self.get_object(request, object_id) is None:
            raise Http404
        return super().change_view(request, object_id, form_url, extra_context)

    def page(
        self, request: HttpRequest, template: str, title: str | Promise, **context: Any
    ) -> HttpResponse:
        """A page of ours, framed as this admin site frames its own."""
        self._say_why_nothing_is_shown(request)
        request.current_app = self.admin_site.name
        site = self.admin_site.each_context(request)
        frame = {**site, "title": title, "opts": self.opts, "media": self.media}
        frame |= {"list_url": self.url("changelist"), "suggest_url": self._suggest_url()}
        return TemplateResponse(request, f"admin/grant_management/{template}", frame | context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's list."""
        self._say_why_nothing_is_shown(request)
        return super().changelist_view(request, extra_context)

    def _say_why_nothing_is_shown(self, request: HttpRequest) -> None:
        if organizations(request) == [] and request.method == "GET":
            messages.warning(request, _NO_MEMBER)

    def _suggest_url(self) -> str:
        name = "admin:grant_management_client_suggest"
        return reverse(name, current_app=self.admin_site.name)

    def url(self, page: str, row: models.Model | None = None) -> str:
        """The URL of a page about this model, at this admin site."""
        name = f"admin:grant_management_{self.opts.model_name}_{page}"
        arguments = [] if row is None else [row.pk]
        return reverse(name, args=arguments, current_app=self.admin_site.name)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: rows come from the API, the commands and the import."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what is revoked stays to be seen, and what has expired is purged."""
        return False
