"""The toolkit's validator; what it issues belongs to a grant here, and dies with it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from oauth2_provider.models import get_access_token_model, get_refresh_token_model
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauthlib.oauth2.rfc6749 import errors

from grant_management import lifecycle
from grant_management.db import clock
from grant_management.lifecycle import NEVER, Issue, LifecycleError
from grant_management.models import AccessToken, Client, Grant, RefreshToken, TokenStatus
from grant_management.protocol.digests import sha256

from . import bridge, receivers
from .models import AuthorizedCode, LinkedToken


class GrantManagementValidator(OAuth2Validator):  # type: ignore[misc]
    """Registers every token here, so that it works at the grant management API."""

    def validate_bearer_token(self, token: str, scopes: Any, request: Any) -> bool:
        """Alive there and here; a token from before this app was added lives there alone."""
        if not super().validate_bearer_token(token, scopes, request):
            return False
        found = _presented(AccessToken, token)
        return found is None or found.status(clock.now()) is TokenStatus.ACTIVE

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Alive here and there; one that the toolkit takes once more in its grace period, too."""
        found = _presented(RefreshToken, refresh_token)
        if found is not None and not _may_be_used(found):
            return False
        valid: bool = super().validate_refresh_token(
            refresh_token, client, request, *args, **kwargs
        )
        if not valid and found is not None and found.rotated_at is not None:
            lifecycle.report_reuse(found)  # it came again: the toolkit did so too
        return valid

    def _save_bearer_token(
        self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """In the toolkit's own transaction: its rows and ours, or none.

        Ours first: when the toolkit stamps the refresh token that it rotates, that is no
        revocation any more. In its grace period it may issue other tokens than it was about to:
        then those are registered too, or none would die with the grant.
        """
        try:
            with receivers.issuing():
                overwritten = _overwritten(request)
                grant = _register(token, request)
                super()._save_bearer_token(token, request, *args, **kwargs)
                _register_what_was_issued(grant, overwritten, token, request)
        except LifecycleError as error:
            raise errors.InvalidGrantError(error.description, request=request) from None
        if grant is not None:
            _link(grant, token)
            token["grant_id"] = grant.grant_id


def _may_be_used(token: RefreshToken) -> bool:
    """Not where its grant, its client or its time is over. Whether it was rotated, the toolkit
    asks, and kills its family where it comes again.
    """
    status = token.status(clock.now())
    superseded = status is TokenStatus.REVOKED and token.rotated_at is not None
    return status is TokenStatus.ACTIVE or superseded


def _presented(model: type[Any], value: str) -> Any:
    """Our row of a token, or None."""
    try:
        return model.objects.presented(bridge.service(), value)
    except model.DoesNotExist:
        return None


def _register(token: dict[str, Any], request: Any) -> Grant | None:
    """The tokens that the toolkit is about to issue, with their grant, if they have one."""
    client = bridge.client(request.client)
    if request.grant_type == "refresh_token":
        grant = _refreshed(client, token, request)
    else:
        grant, consented = _code_grant(client, request)
        subject = None if request.grant_type == "client_credentials" else request.user
        order = replace(_order(token), consented=consented)
        lifecycle.issue(client, bridge.subject(subject), grant, order)
    return grant


def _code_grant(client: Client, request: Any) -> tuple[Grant | None, int | None]:
    """The grant that the user consented to when the code was made, and its generation of then."""
    if request.grant_type != "authorization_code":
        return None, None
    codes = AuthorizedCode.objects.filter(service=client.service, digest=sha256(request.code))
    found = codes.select_related("grant__client").first()
    codes.delete()
    return (found.grant, found.generation) if found else (None, None)


def _refreshed(client: Client, token: dict[str, Any], request: Any) -> Grant | None:
    """The grant of the refresh token, which is rotated here too where the toolkit rotated it."""
    old: RefreshToken | None = _presented(RefreshToken, request.refresh_token)
    order = _order(token)
    if old is None:  # from before this app was added
        lifecycle.issue(client, bridge.subject(request.user), None, order)
        return None
    if old.rotated_at is not None:  # the toolkit gives the answer of its grace period again
        return old.grant
    if token.get("refresh_token") == request.refresh_token:
        kept = Issue(order.scopes, order.access_token, None, order.access_token_duration)
        lifecycle.issue(client, old.subject, old.grant, kept)
    else:
        lifecycle.rotate(old, order)
    return old.grant


def _overwritten(request: Any) -> str | None:
    """The checksum of the access token whose row the toolkit may write over, where it does not
    rotate refresh tokens.
    """
    instance = getattr(request, "refresh_token_instance", None)
    access = getattr(instance, "access_token", None)
    return None if access is None else str(access.token_checksum)


def _register_what_was_issued(
    grant: Grant | None, overwritten: str | None, token: dict[str, Any], request: Any
) -> None:
    """The access token that was written over dies; one that is unknown here is not any more."""
    client = bridge.client(request.client)
    if overwritten not in (None, bridge.checksum(token["access_token"])):
        digest = bytes.fromhex(str(overwritten))
        AccessToken.objects.filter(service=client.service, digest=digest).revoke(clock.now())
    if _presented(AccessToken, token["access_token"]) is None:
        refresh = token.get("refresh_token")
        known = refresh is not None and _presented(RefreshToken, refresh) is not None
        order = replace(_order(token), refresh_token=None if known else refresh)
        user = None if request.grant_type == "client_credentials" else request.user
        lifecycle.issue(client, bridge.subject(user), grant, order)


def _order(token: dict[str, Any]) -> Issue:
    """What the toolkit issued, to be registered."""
    return Issue(
        scopes=token["scope"],
        access_token=token["access_token"],
        refresh_token=token.get("refresh_token"),
        access_token_duration=int(token["expires_in"]),
        refresh_token_duration=_refresh_token_duration(),
    )


def _refresh_token_duration() -> int:
    """Seconds, or NEVER; the toolkit takes a timedelta too."""
    lifetime = oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS
    if not lifetime:
        return NEVER
    return int(lifetime.total_seconds() if isinstance(lifetime, timedelta) else lifetime)


def _link(grant: Grant, token: dict[str, Any]) -> None:
    """So that the toolkit's rows can be found when the grant dies."""
    access = get_access_token_model().objects.get(
        token_checksum=bridge.checksum(token["access_token"])
    )
    refresh = get_refresh_token_model().objects.filter(access_token=access).first()
    links = LinkedToken.objects.filter(service_id=grant.service_id, grant=grant)
    if refresh is not None and links.filter(refresh_token=refresh).exists():
        refresh = None  # the toolkit does not rotate here: it is the same row again
    LinkedToken.objects.get_or_create(
        access_token=access,
        defaults={"service_id": grant.service_id, "grant": grant, "refresh_token": refresh},
    )
