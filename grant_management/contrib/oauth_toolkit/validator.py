"""The toolkit's validator: the tokens that it issues belong to a grant here, and die with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError

from grant_management import lifecycle
from grant_management.contrib.bridge import deaths
from grant_management.db import primary
from grant_management.db.retry import retried
from grant_management.lifecycle import LifecycleError
from grant_management.models import Actor, RefreshToken
from grant_management.models.locks import hold_clients
from grant_management.protocol.results import INVALID_GRANT

from . import bridge, device, registered, registration, rows, sender
from .errors import refused
from .families import families, held, sweep
from .presented import presented_by
from .registered import access_token_lives, refresh_token_lives
from .token_use import may_use


class GrantManagementValidator(OAuth2Validator):  # type: ignore[misc]
    """Registers every token here, so that it works at the grant management API."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """As the toolkit. A `client_id` in the body must name the client that authenticated.

        Otherwise one client could get a device code that is kept as another's.
        """
        named = request.client_id
        known: bool = super().authenticate_client(request, *args, **kwargs)
        return known and named in (None, "", request.client.client_id)

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """As the toolkit. A device code and a DPoP proof are judged here, where the client is
        authenticated; this is outside of any transaction.

        CustomOAuth2Error: an error of RFC 8628 §3.5 or of RFC 9449 §5.
        """
        if not super().validate_grant_type(client_id, grant_type, client, request, *args, **kwargs):
            return False
        try:
            service = bridge.service()
            if grant_type == device.GRANT_TYPE:
                device.poll(service, request.device_code, request.client.client_id, request.scope)
            request.grant_management_binding = sender.binding_of(
                service, presented_by(service, request)
            )
        except LifecycleError as error:
            raise refused(error, request) from None
        return True

    def validate_device_code(self, client_id: str, device_code: str, request: Any) -> str:
        """That the device code may be redeemed, which `validate_grant_type` has found.

        oauthlib asks from 4.0.1 on; the toolkit has no answer (up to 3.4.1).
        """
        return "authorized"

    def validate_bearer_token(self, token: str, scopes: Any, request: Any) -> bool:
        """Accept an access token that is alive both at the toolkit and here, from its sender."""
        if not super().validate_bearer_token(token, scopes, request):
            return False
        if access_token_lives(request.access_token):
            return may_use(token, request)
        self._set_oauth2_error_on_request(request, None, scopes)
        return False

    def validate_id_token(self, token: str, scopes: Any, request: Any) -> bool:
        """Accept an ID token as long as the access token that it came with is alive.

        The toolkit accepts an ID token in place of an access token; not where that one is bound.
        """
        if not super().validate_id_token(token, scopes, request):
            return False
        row = rows.access_tokens().filter(id_token=request.access_token).first()
        if row is None or row.is_expired() or not access_token_lives(row):
            return False
        found = registered.access_token_of(row)
        return found is None or not sender.is_bound(found)

    def get_original_scopes(
        self, refresh_token: str, request: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """All scopes that the refresh token was issued for, even if a refresh asked for fewer since
        (RFC 6749 §6).
        """
        found = bridge.SERVER.refresh_token(refresh_token)
        if found is not None:
            return found.scopes.split()
        return super().get_original_scopes(refresh_token, request, *args, **kwargs)

    @retried
    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept a refresh token that is alive here and there, or in the toolkit's grace period.

        Where the toolkit revokes a family because a token of it was reused, we do so in the same
        transaction.
        """
        with primary.atomic():
            found = held(refresh_token, client)
            if not refresh_token_lives(found, refresh_token, client):
                return False
            since = timezone.now()  # the clock by which the toolkit stamps its rows
            with deaths.collected(bridge.SERVER) as dying:
                valid: bool = super().validate_refresh_token(
                    refresh_token, client, request, *args, **kwargs
                )
            rotated = found is not None and found.rotated_at is not None
            # Rotated here and not revoked there: a reuse that the toolkit cannot see.
            if valid and not (rotated and request.refresh_token_instance.revoked is None):
                return True
            sweep(refresh_token, since, dying)
            if found is not None and rotated:
                lifecycle.report_reuse(found)
            dying.happen(told=not rotated)
        return False

    def save_bearer_token(
        self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Save as the toolkit does; again from the start where the database broke the transaction
        off because of another one.
        """
        about_to, judged = dict(token), getattr(request, "refresh_token_instance", None)
        save = super().save_bearer_token

        @retried
        def attempt() -> Any:
            # The toolkit changes both; a new attempt starts with what was there at first.
            token.clear()
            token.update(about_to)
            request.refresh_token_instance = judged
            return save(token, request, *args, **kwargs)

        try:
            return attempt()
        except LifecycleError as error:
            if request.grant_type == "refresh_token":
                # Another request may have used the refresh token meanwhile. The transaction was
                # rolled back, so validate again: a reuse then revokes the family for good.
                self.validate_refresh_token(request.refresh_token, request.client, request)
            raise refused(error, request) from None

    def _save_bearer_token(
        self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Write the toolkit's rows and ours in the toolkit's own transaction, or none.

        Tokens that the toolkit removes to make room for the new ones die here without an event; the
        refresh token is rotated instead.
        """
        with deaths.collected(bridge.SERVER) as dying:
            basis = registration.hold(request)
            if request.grant_type == "refresh_token":  # the first judgement was without locks
                self._judge(request)
            super()._save_bearer_token(token, request, *args, **kwargs)
            registration.register(token, basis)
            if request.grant_type == "authorization_code":
                self._redeem(request)
        dying.forget(RefreshToken)
        dying.happen(told=False)

    def _judge(self, request: Any) -> None:
        if not self.validate_refresh_token(request.refresh_token, request.client, request):
            raise LifecycleError(INVALID_GRANT, "The refresh token is not valid.")

    def _redeem(self, request: Any) -> None:
        """Delete the code in the transaction that issues its tokens, so that it works only once."""
        super().invalidate_authorization_code(request.client_id, request.code, request)
        request.grant_management_redeemed = True

    def get_code_challenge(self, code: str, request: Any) -> Any:
        """As the toolkit. InvalidGrantError: the code is gone."""
        with _code_is_there(request):
            return super().get_code_challenge(code, request)

    def get_code_challenge_method(self, code: str, request: Any) -> Any:
        """As the toolkit. InvalidGrantError: the code is gone."""
        with _code_is_there(request):
            return super().get_code_challenge_method(code, request)

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Any
    ) -> Any:
        """As the toolkit. InvalidGrantError: the code is gone."""
        with _code_is_there(request):
            return super().confirm_redirect_uri(client_id, code, redirect_uri, client, request)

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Do nothing where the code was deleted with the issue of its tokens."""
        if not getattr(request, "grant_management_redeemed", False):
            super().invalidate_authorization_code(client_id, code, request, *args, **kwargs)

    @retried
    def revoke_token(
        self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Revoke a token, as one event; a refresh token with its whole family (RFC 7009 §2.1).

        The client may be refreshing at this moment: the lock makes the revocation wait for that.
        """
        ours = None if request.client is None else bridge.known_client(request.client)
        if ours is None:
            super().revoke_token(token, token_type_hint, request, *args, **kwargs)
            return
        with deaths.one_act(bridge.SERVER, Actor.client(ours.client_id)):
            hold_clients(ours.service, [ours.pk])
            super().revoke_token(token, token_type_hint, request, *args, **kwargs)
            named = rows.refresh_token(token).filter(application=request.client)
            for row in families(named).filter(revoked=None):
                row.revoke()


@contextmanager
def _code_is_there(request: Any) -> Iterator[None]:
    """Turn a missing row of a code into InvalidGrantError.

    The toolkit reads that row at several steps; another request may redeem the code, and delete its
    row, between two of them.
    """
    try:
        yield
    except ObjectDoesNotExist:
        raise InvalidGrantError(request=request) from None
