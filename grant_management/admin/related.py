"""Links between the pages of calls, events, grants, clients, people, jobs and result codes."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from ..conf import DOCUMENTS
from ..db.counting import grouped
from ..models import Call, Client, Grant, Service, Sweep
from .kit.address import ANY_KEY, addresses, of_rows

Link = tuple[str, Any, str]
"""What it is, its name, and the URL of its page."""
Listed = Callable[..., str]
"""Makes the URL of a list from the name of its model, and its filters by name."""


def page_url(request: HttpRequest, name: str, *arguments: Any) -> str:
    """The URL of a page of this app at the admin site of the request; "": the site has none."""
    current, whole = getattr(request, "current_app", None), f"admin:grant_management_{name}"
    try:
        if not arguments:
            return addresses(current)[whole]
        return reverse(whole, args=arguments, current_app=current)
    except NoReverseMatch:
        return ""


def row_url_of(request: HttpRequest, name: str) -> Callable[[Any], str]:
    """A function that makes this URL for the key of each row of a list."""
    return of_rows(page_url(request, name, ANY_KEY))


def lists_of(request: HttpRequest, service: Service | None) -> Listed:
    """Makes URLs of lists, limited to a service where there is one."""
    of = {} if service is None else {"service": str(service.pk)}
    # A page has dozens of these URLs, and few lists.
    url_of = cache(lambda model: page_url(request, f"{model}_changelist"))

    def listed(model: str, **filters: str) -> str:
        return f"{url_of(model)}?{urlencode(of | filters)}"

    return listed


def may_view(request: HttpRequest, model: str) -> bool:
    """Whether the operator may see rows of this model."""
    return request.user.has_perm(f"grant_management.view_{model}")


def code_url(request: HttpRequest, code: str) -> str:
    """The URL of the row of a result code in the table of codes."""
    url = page_url(request, "call_codes") if may_view(request, "call") else ""
    return f"{url}#{code}" if url else ""


def advice_url(code: str) -> str:
    """The URL of what to do about a result code, in the documents."""
    return f"{DOCUMENTS}/reference/codes.md#{code.lower()}"


def related(request: HttpRequest, row: Any) -> list[Link]:
    """The pages that a call, an event or a job is about, as far as the operator may see them.

    A call and an event have `client_id` and `grant_id` as texts, and an event a `job`.
    """
    links = _of_job(request, row) if isinstance(row, Sweep) else _of_row(request, row)
    return [link for link in links if link[2]]


def _of_row(request: HttpRequest, row: Any) -> Iterator[Link]:
    grant_id, client_id = getattr(row, "grant_id", ""), getattr(row, "client_id", "")
    if grant_id and may_view(request, "grant"):
        grants = Grant.objects.filter(service=row.service_id, grant_id=grant_id)
        for key, subject in grants.values_list("pk", "subject"):
            if subject is not None:
                yield _person(request, subject, key)
            yield _("Grant"), grant_id, page_url(request, "grant_change", key)
    if client_id and may_view(request, "client"):
        for client in Client.objects.filter(service=row.service_id, client_id=client_id):
            yield _client(request, client)
    if getattr(row, "job", None):
        yield _("Job"), row.job, job_url(request, row)
    if isinstance(row, Call):
        yield _("Result code"), row.code, code_url(request, row.code)


def _of_job(request: HttpRequest, sweep: Sweep) -> Iterator[Link]:
    if sweep.client is not None and may_view(request, "client"):
        yield _client(request, sweep.client)
    if sweep.subject and may_view(request, "grant"):
        grants = Grant.objects.filter(service=sweep.service_id, subject=sweep.subject)
        for key in grants.values_list("pk", flat=True)[:1]:
            yield _person(request, sweep.subject, key)
    if sweep.revoked and may_view(request, "grantevent"):
        number = grouped(sweep.revoked)
        yield _("Revoked grants"), number, page_url(request, "grant_receipt", sweep.pk)


def _person(request: HttpRequest, subject: str, key: Any) -> Link:
    return _("Person"), subject, page_url(request, "grant_person", key)


def _client(request: HttpRequest, client: Client) -> Link:
    return _("Client"), client, page_url(request, "client_change", client.pk)


def job_url(request: HttpRequest, row: Any) -> str:
    """The page of the sweep; or of the revoke of several grants, which has no row of its own."""
    is_sweep = Sweep.objects.filter(pk=row.job, service=row.service_id).exists()
    if is_sweep:
        return page_url(request, "sweep_change", row.job) if may_view(request, "sweep") else ""
    return page_url(request, "grant_receipt", row.job) if may_view(request, "grantevent") else ""
