"""The operations of the store on grants: check, create, merge, replace, get, revoke, list."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from ... import lifecycle
from ...db import primary
from ...db.retry import retried
from ...fields import members as m
from ...lifecycle import Authorization, GrantAction, LifecycleError
from ...models import Grant, GrantStatus, Reason, Service
from ...models.grant import GrantQuerySet
from ...protocol import times
from ...protocol.content import Content
from ...protocol.results import Refused, Result
from ...protocol.strict_json import Literal
from .answer import ActionRefused, Answer, compact, done
from .request import StoreRequest, Values, find_client, find_grant

CHECK = (*m.CLIENT, m.SUBJECT, m.GRANT_ACTION, m.ASKED_GRANT_ID)
CREATE = (*m.CLIENT, m.SUBJECT, m.EXPIRES_AT, m.ACTIVE, *m.CONTENT)
CHANGE = (m.EXPIRES_AT, *m.CONTENT)
REVOKE = (m.REASON, m.NOTE)
LIST = (*m.CLIENT, m.SUBJECT, m.STATUS, m.LIMIT, m.CURSOR)
PAGE: Final = 50
"""Grants on a page without a `limit`; also the batch of one query."""
PAGE_BYTES: Final = 4 * 1_048_576
"""Bytes of content after which a page of grants is full."""
WINDOW: Final = 10_000
"""Grants that are searched for a page of one status, since no index has the status."""


def check(request: StoreRequest) -> Answer:
    """`/grants/check`: whether an authorization request may go on (draft §5.2, §5.4).

    ActionRefused BAD_REQUEST: it may not; `error` and `errorDescription` are for the client.
    """
    values = request.values
    action, grant_id = (values.get(one.name, "") for one in (m.GRANT_ACTION, m.ASKED_GRANT_ID))
    client = find_client(request.service, values)
    try:
        lifecycle.begin(client, values.get("subject"), action, grant_id)
    except LifecycleError as error:
        refusal = Refused(Result.STORE_REFUSED, error.description)
        to_send = {"error": error.error, "errorDescription": error.description}
        raise ActionRefused(refusal, "BAD_REQUEST", to_send) from None
    return done({}, "OK")


def create(request: StoreRequest) -> Answer:
    """`/grants`: a new grant, pending until its first token unless `active`."""
    values = request.values
    client = find_client(request.service, values)
    authorization = Authorization(client, values.get("subject"), GrantAction.CREATE)
    grant = _completed(request, authorization, values, active=values.get("active", False))
    return done(show(grant, request.now))


def merge(request: StoreRequest, *, grant_id: str) -> Answer:
    """`/grants/{grantId}/merge`: add what was consented to now to what the grant holds."""
    return _change(request, grant_id, GrantAction.MERGE)


def replace(request: StoreRequest, *, grant_id: str) -> Answer:
    """`/grants/{grantId}/replace`: make the grant hold only what was consented to now."""
    return _change(request, grant_id, GrantAction.REPLACE)


def get(request: StoreRequest, *, grant_id: str) -> Answer:
    """`/grants/{grantId}/get`: the grant, whatever its status."""
    return done(show(find_grant(request.service, grant_id), request.now))


def revoke(request: StoreRequest, *, grant_id: str) -> Answer:
    """`/grants/{grantId}/revoke`: revoke the grant; one that is revoked already stays as it is."""
    values = request.values
    reason = values.get("reason") or "requested through the API"
    grant = _revoked(request, grant_id, Reason(reason, values.get("note", "")))
    return done(show(grant, request.now))


@retried
def _revoked(request: StoreRequest, grant_id: str, why: Reason) -> Grant:
    """The grant after the revoke. In one transaction, so that no purge deletes it in between."""
    with primary.atomic():
        find_grant(request.service, grant_id).revoke(request.caller, why)
        return find_grant(request.service, grant_id)


def list_grants(request: StoreRequest) -> Answer:
    """`/grants/list`: the grants of a subject or a client, newest first, a page at a time.

    With a `status`, one page covers at most `WINDOW` grants: it may be short or empty and still
    have a `cursor`. Refused: neither a subject nor a client is named, or the cursor is not valid.
    """
    page, cursor = page_of(_of(request.service, request.values), request)
    return done({"cursor": cursor}) | {"grants": [show(grant, request.now) for grant in page]}


def page_of(rows: GrantQuerySet, request: StoreRequest) -> tuple[list[Grant], str | None]:
    """A page of grants by the `limit`, `cursor` and `status` of a request, newest first.

    The cursor is that of the next page; None: there is none. Refused: the cursor is not valid.
    """
    values = request.values
    rows, last = _after(rows, values.get("cursor")).order_by("-created_at", "-id"), None
    if "status" in values:
        last = rows[WINDOW - 1 : WINDOW].first()
        rows = _until(rows, last).with_status(GrantStatus(values["status"]), request.now)
    page, is_cut = _page(rows, values.get("limit", PAGE))
    for grant in page:
        grant.know(request.service, grant.client)
    more = page[-1] if is_cut else last
    return page, _cursor(more) if more else None


def show(grant: Grant, now: datetime) -> Answer:
    """The members of a grant, with its status; times are milliseconds, absent ones are left out."""
    stamps = {
        "createdAt": grant.created_at,
        "lastUpdatedAt": grant.last_updated_at,
        "expiresAt": grant.expires_at,
        "revokedAt": grant.revoked_at,
    }
    return compact(
        {
            "grantId": grant.grant_id,
            "clientId": grant.client_id,
            "clientIdentifier": grant.client.client_id,
            "clientName": grant.client.name,
            "subject": grant.subject,
            "status": grant.status(now).value,
            **show_content(grant),
            **{name: times.to_milliseconds(at) for name, at in stamps.items() if at},
            "updatedBy": grant.updated_by,
        }
    )


def show_content(grant: Grant) -> Answer:
    """What a grant holds, as the JSON texts that are stored, by member."""
    held = {
        "scopes": grant.scopes,
        "claims": grant.claims,
        "authorizationDetails": grant.authorization_details,
    }
    return {name: Literal(value) for name, value in held.items() if value}


def _change(request: StoreRequest, grant_id: str, action: GrantAction) -> Answer:
    values = request.values
    grant = find_grant(request.service, grant_id)
    authorization = Authorization(grant.client, grant.subject, action, grant_id)
    return done(show(_completed(request, authorization, values), request.now))


def _completed(
    request: StoreRequest, authorization: Authorization, values: Values, *, active: bool = False
) -> Grant:
    held = [values.get(member.name, ()) for member in m.CONTENT]
    content = Content(frozenset(held[0]), frozenset(held[1]), tuple(held[2]))
    try:
        return lifecycle.complete(
            authorization,
            content,
            expires_at=values.get("expiresAt"),
            active=active,
            actor=request.caller,
        )
    except LifecycleError as error:
        raise Refused(Result.STORE_REFUSED, error.description) from None


def _page(rows: GrantQuerySet, limit: int) -> tuple[list[Grant], bool]:
    """At most `limit` grants, fewer where they fill `PAGE_BYTES`; and whether there are more."""
    page: list[Grant] = []
    size = 0
    while size < PAGE_BYTES and len(page) < limit:
        asked = min(PAGE, limit - len(page))
        rest = rows.filter(_bound(page[-1].created_at, page[-1].pk, "lt")) if page else rows
        found = list(rest[: asked + 1])  # one more tells whether there are more
        page += found[:asked]
        if len(found) <= asked:
            return page, False
        size += sum(len(grant.scopes + grant.authorization_details) for grant in found)
    return page, True


def _of(service: Service, values: Values) -> GrantQuerySet:
    """The grants of the subject, of the client, or of both.

    Refused: neither is given. A member that was forgotten must not list every user's grants.
    """
    rows = Grant.objects.filter(service=service, client__deleted_at=None).select_related("client")
    if "subject" in values:
        rows = rows.filter(subject=values["subject"])
    if values.keys() & {member.name for member in m.CLIENT}:
        rows = rows.filter(client=find_client(service, values))
    elif "subject" not in values:
        raise Refused(Result.BODY_UNREADABLE, "a subject or a client is needed.")
    return rows


def _cursor(grant: Grant) -> str:
    return f"{grant.created_at.isoformat()}_{grant.pk}"


def _after(rows: GrantQuerySet, cursor: str | None) -> GrantQuerySet:
    """The rows behind the cursor: found by key and not by offset, so that pages cost the same."""
    if cursor is None:
        return rows
    at, _, key = cursor.partition("_")
    try:
        moment, pk = datetime.fromisoformat(at).astimezone(UTC), UUID(key)
    except (ValueError, OverflowError):
        raise Refused(Result.BODY_UNREADABLE, "'cursor' is not a cursor of this list.") from None
    return rows.filter(_bound(moment, pk, "lt"))


def _until(rows: GrantQuerySet, last: Grant | None) -> GrantQuerySet:
    """The rows up to `last`, which is included; all rows where it is None."""
    return rows if last is None else rows.filter(_bound(last.created_at, last.pk, "gt", "e"))


def _bound(moment: datetime, pk: UUID, than: str, or_equal: str = "") -> Q:
    """The rows on one side of a grant, in the order of `created_at` and the key.

    The first condition is implied by the second; a database can start an index scan with it.
    """
    strictly = Q(**{f"created_at__{than}": moment})
    equal = Q(**{"created_at": moment, f"pk__{than}{or_equal}": pk})
    return Q(**{f"created_at__{than}e": moment}) & (strictly | equal)
