"""What an operator keeps of a list: the columns that it shows, and views with a name."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from ...models import ListColumns, SavedView
from ...models.saved_view import LONGEST_NAME, LONGEST_QUERY, MOST, TooManyViews
from .list_form import SORT
from .list_table import Column
from .typed import opened, params, sealed

if TYPE_CHECKING:
    from .listing import ListAdmin
    from .short_list import ShortListAdmin

    Admin: TypeAlias = ListAdmin[Any] | ShortListAdmin[Any]


def urls(of: "Admin") -> list[URLPattern]:
    """The URLs that take an operator's choices, each by POST."""
    views: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
        "columns": ("columns/", choose_columns),
        "save_view": ("views/", save_view),
        "delete_view": ("views/<int:number>/delete/", delete_view),
    }
    prefix = f"grant_management_{of.opts.model_name}"
    return [
        path(route, of.admin_site.admin_view(partial(view, of)), name=f"{prefix}_{name}")
        for name, (route, view) in views.items()
    ]


def context(of: "Admin", request: HttpRequest, shown: tuple[Column, ...]) -> dict[str, Any]:
    """What the template shows of an operator's choices; `shown` are the columns of the list."""
    now = kept_of(of, params(request)).urlencode()
    names = {column.key for column in shown}
    return {
        "keeps_order": SORT in of.query_names(),
        "choosable": [(one, one.key in names) for one in of.columns if one.can_be_hidden],
        "columns_url": of.url("columns"),
        "ready": list(_ready(of, request, now)),
        "views": [
            {
                "row": view,
                "delete_url": of.url("delete_view", view),
                "query": address(of, QueryDict(view.query)),
                "is_shown": view.query == now,
            }
            for view in _views(of, request)
        ],
        "save_view_url": of.url("save_view"),
        "longest_name": LONGEST_NAME,
    }


def _ready(of: "Admin", request: HttpRequest, now: str) -> Iterator[tuple[Any, str, bool]]:
    """The label and the query of each view for everybody, and whether it is shown. The service that
    is in view stays.
    """
    service = request.GET.get("service", "")
    for label, query in of.ready_views:
        whole = f"service={quote(service)}&{query}" if service else query
        yield label, whole, whole == now


def columns_of(of: "Admin", request: HttpRequest) -> tuple[Column, ...]:
    """The columns of the list that this operator sees: those chosen, or else the default."""
    kept = ListColumns.objects.filter(**_own(of, request)).first()
    return tuple(
        column
        for column in of.columns
        if not column.can_be_hidden
        or (column.is_default if kept is None else column.key in kept.names)
    )


def choose_columns(of: "Admin", request: HttpRequest) -> HttpResponse:
    """Keep the columns of the list. Without any of the keys it has the default again."""
    if refused := _refused(of, request):
        return refused
    known = [column.key for column in of.columns if column.can_be_hidden]
    names = [key for key in known if key in request.POST.getlist("column")]
    own = _own(of, request)
    if "default" in request.POST:
        ListColumns.objects.filter(**own).delete()
        messages.success(request, _("The list has its default columns again."))
    else:
        ListColumns.objects.update_or_create(**own, defaults={"names": names})
        messages.success(request, _("The columns were saved."))
    return _back(of, request.POST.get("query", ""))


def save_view(of: "Admin", request: HttpRequest) -> HttpResponse:
    """Keep the filters and the order of the list under a name; a view of that name is replaced."""
    if refused := _refused(of, request):
        return refused
    given, name = request.POST.get("query", ""), request.POST.get("name", "").strip()
    query = kept_of(of, opened(QueryDict(given))).urlencode()
    if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        messages.error(request, _("A view needs a name of at most 100 characters."))
    elif len(query) > LONGEST_QUERY or "%00" in query:
        messages.error(request, _("These filters are too long to be saved."))
    else:
        try:
            SavedView.objects.keep(request.user, str(of.opts.model_name), name, query)
        except TooManyViews:
            many = _("%(most)s views of a list are saved at most. Delete one first.")
            messages.error(request, many % {"most": MOST})
        else:
            messages.success(request, _("The view “%(name)s” was saved.") % {"name": name})
    return _back(of, given)


def delete_view(of: "Admin", request: HttpRequest, number: int) -> HttpResponse:
    """Delete one of the operator's own views. Http404: there is none with this number."""
    if refused := _refused(of, request):
        return refused
    if number >= 2**63 or not _views(of, request).filter(pk=number).delete()[0]:
        raise Http404
    messages.success(request, _("The view was deleted."))
    return _back(of, request.POST.get("query", ""))


def _own(of: "Admin", request: HttpRequest) -> dict[str, Any]:
    """The columns of the rows that are the operator's, of this list."""
    return {"user_id": request.user.pk, "of": of.opts.model_name}


def _views(of: "Admin", request: HttpRequest) -> Any:
    return SavedView.objects.of_list(request.user, str(of.opts.model_name))


def _refused(of: "Admin", request: HttpRequest) -> HttpResponse | None:
    """The answer to what is no POST. PermissionDenied: the operator may not view the list."""
    if not of.has_view_permission(request):
        raise PermissionDenied
    return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])


def kept_of(of: "Admin", given: QueryDict) -> QueryDict:
    """What a view keeps of a query: the filters and the order that the list knows."""
    kept, known = given.copy(), of.query_names()
    for name in set(kept):
        if name not in known or not kept[name]:
            del kept[name]
    return kept


def address(of: "Admin", given: QueryDict) -> str:
    """The query string of the list with these filters and this order."""
    return sealed(kept_of(of, given), of.texts)


def _back(of: "Admin", query: str) -> HttpResponse:
    shown = address(of, opened(QueryDict(query)))
    return HttpResponseRedirect(f"{of.url('changelist')}?{shown}")
