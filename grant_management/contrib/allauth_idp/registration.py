"""Registers the tokens that allauth issues, with the grant that they belong to.

Locks are taken in the order that `contrib.bridge.issuing` describes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from allauth.idp.oidc.models import Token

from grant_management.contrib.bridge import issuing
from grant_management.contrib.bridge.issuing import Basis, check_alive, refused
from grant_management.contrib.bridge.server import subject
from grant_management.lifecycle import NEVER, Issue, Issued, LifecycleError
from grant_management.models import Grant, RefreshToken
from grant_management.protocol.digests import sha256

from . import rows
from .models import IssuedCode, LinkedToken

LONGEST: Final = 2**31 - 1
"""The longest lifetime of a token in seconds; a token that never expires has NEVER instead."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What a token request presents, locked until the transaction ends.

    `dead`: it gives no tokens, whatever allauth says. `old` None: there is no refresh token, or it
    is unknown here. `code` None: there is no code.
    """

    grant: Grant | None = None
    old: RefreshToken | None = None
    code: IssuedCode | None = None
    dead: bool = False


def hold(form: Mapping[str, Any]) -> Presented:
    """Lock what a token request presents, before allauth sees the request.

    Nothing is refused yet: the client is not authenticated.
    """
    try:
        if form.get("grant_type") == "authorization_code":
            return _code(str(form.get("code", "")))
        if form.get("grant_type") == "refresh_token":
            return _refresh_token(str(form.get("refresh_token", "")))
    except LifecycleError:  # its grant was purged
        return Presented(dead=True)
    return Presented()


def register(answer: dict[str, Any], presented: Presented = Presented()) -> None:
    """Register the tokens of allauth's response, and add the `grant_id` to it.

    LifecycleError: the tokens must not be issued, and allauth's rows must be rolled back.
    """
    if presented.dead:
        raise refused("The code or refresh token is not valid.")
    row = rows.presented(Token.Type.ACCESS_TOKEN, answer["access_token"]).get()
    refresh = rows.presented(Token.Type.REFRESH_TOKEN, answer.get("refresh_token", "")).first()
    old, code = presented.old, presented.code
    if old is not None:
        check_alive(old)
    basis = Basis(
        rows.our_client(row.client),
        subject(row.user),
        presented.grant,
        old,
        None if code is None else code.generation,
    )
    issued = issuing.issue(basis, _order(answer, row, refresh))
    _link(basis, issued, [one for one in (row, refresh) if one is not None], answer)
    if old is not None and issued.refresh is not None:
        _keep_scopes(refresh, old)
    if code is not None:
        code.delete()
    if basis.grant is not None:
        answer["grant_id"] = basis.grant.grant_id


def _code(value: str) -> Presented:
    """Every code has a row until it is redeemed: one without was not issued here, or is used up."""
    code = IssuedCode.objects.held(rows.SERVER.service(), value)
    if code is None or code.is_orphaned:
        return Presented(dead=True)
    if code.grant is not None:
        issuing.lock(code.grant.client, code.grant)
    return Presented(code.grant, code=code)


def _refresh_token(value: str) -> Presented:
    """The refresh token as it is once its grant and allauth's row are locked."""
    before = rows.SERVER.refresh_token(value)
    if before is not None:
        issuing.lock(before.client, before.grant)
    theirs = rows.presented(Token.Type.REFRESH_TOKEN, value)
    # First the link, as a deletion does: Django deletes what refers to a row before the row.
    links = LinkedToken.objects.filter(token__in=theirs.values("pk"))
    linked = list(links.select_for_update().values_list("pk", flat=True))
    list(theirs.select_for_update().values_list("pk", flat=True))
    old = rows.SERVER.refresh_token(value)
    if old is None:  # purged, or issued before this app was added
        return Presented(dead=bool(linked))
    return Presented(old.grant, old)


def _order(answer: dict[str, Any], row: Token, refresh: Token | None) -> Issue:
    """The order for the tokens that allauth issued. A refresh token may never expire."""
    seconds = NEVER
    if refresh is not None and refresh.expires_at is not None:
        seconds = int((refresh.expires_at - refresh.created_at).total_seconds())
    return Issue(
        scopes=" ".join(row.get_scopes()),
        access_token=answer["access_token"],
        refresh_token=answer.get("refresh_token"),
        access_token_duration=int(answer["expires_in"]),
        refresh_token_duration=min(seconds, LONGEST),
    )


def _link(basis: Basis, issued: Issued, theirs: list[Token], answer: dict[str, Any]) -> None:
    """Tie allauth's rows to the grant and to ours, so that they are found when tokens die."""
    family = issued.refresh or basis.old
    values = {Token.Type.ACCESS_TOKEN: "access_token", Token.Type.REFRESH_TOKEN: "refresh_token"}
    links = [
        LinkedToken(
            service=basis.client.service,
            grant=basis.grant,
            token=row,
            digest=sha256(answer[values[row.type]]),
            family=None if family is None else family.family,
        )
        for row in theirs
    ]
    # A refresh token that allauth kept is linked already.
    LinkedToken.objects.bulk_create(links, ignore_conflicts=True)


def _keep_scopes(new: Any, old: RefreshToken) -> None:
    """A new refresh token has the scopes of the old one (RFC 6749 §6).

    allauth gives it those of the access token, so a client could not ask for all of them again.
    """
    new.set_scopes(old.scopes.split())
    rows.tokens().filter(pk=new.pk).update(scopes=new.scopes)
