"""Device codes: what a device asked to do to a grant, and who may redeem its code (RFC 8628).

The toolkit keeps a device code with its user, scopes and state. What it has no room for is in a row
of ours, which is found by the digest of the device code: the action and the grant, and that the
code was redeemed.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from oauth2_provider.settings import oauth2_settings

from grant_management import lifecycle
from grant_management.db import clock
from grant_management.db.ids import uuid7
from grant_management.lifecycle import Authorization, LifecycleError
from grant_management.models import Client, Grant, Service
from grant_management.protocol.digests import sha256
from grant_management.protocol.results import INVALID_GRANT, INVALID_SCOPE

from . import bridge, rows
from .models import DeviceAuthorization

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"
PENDING, SLOW_DOWN = "authorization_pending", "slow_down"
DENIED, EXPIRED = "access_denied", "expired_token"
"""Errors of RFC 8628 §3.5."""
JITTER: Final = timedelta(seconds=1)
"""A poll may come so much earlier than its interval says."""


def begin(client: Client, action: str, grant_id: str, *, confidential: bool) -> Authorization:
    """Validate the parameters of a device authorization request (draft §5.2, §5.4).

    The user is not known yet, so the grant may be that of any user of this client; `allow` checks
    the user. LifecycleError: `invalid_request` or `invalid_grant_id`, for the client.
    """
    subject = _owner(client, grant_id)
    return lifecycle.begin(client, subject, action, grant_id, confidential=confidential)


def keep(asked: Authorization, code: str, expires_at: datetime) -> None:
    """Keep what a device asked for, until its code is redeemed or expires."""
    service = asked.client.service
    DeviceAuthorization.objects.forget_old(service)
    DeviceAuthorization.objects.create(
        id=uuid7(clock.now()),
        service=service,
        digest=sha256(code),
        action=asked.action or "",
        named_grant=asked.grant_id,
        expires_at=expires_at,
    )


def found(service: Service, code: str) -> DeviceAuthorization | None:
    """What a device asked for; None: its code was not issued by the views of this bridge."""
    return DeviceAuthorization.objects.filter(service=service, digest=sha256(code)).first()


def intended(client: Client, user: Any, kept: DeviceAuthorization) -> Authorization:
    """What this user would allow. LifecycleError: the user has no such grant (draft §5.4)."""
    return lifecycle.begin(client, bridge.subject(user), kept.action, kept.named_grant)


def allow(client: Client, user: Any, kept: DeviceAuthorization, scope: str) -> None:
    """Write what the user allowed into the grant, in the caller's transaction (draft §5.2).

    LifecycleError: the request about the grant is refused.
    """
    content = bridge.consented(scope.split(), None, None)
    grant = lifecycle.complete(intended(client, user, kept), content)
    kept.grant, kept.generation = grant, grant.access_generation
    kept.save(force_update=True, update_fields=["grant", "generation"])


def poll(service: Service, code: str, client_id: str, scope: str | None) -> None:
    """Whether this client may redeem a device code now. Nothing is locked.

    LifecycleError: as `judge`; or `slow_down`, where the client polls too often.
    """
    row = rows.device_codes().filter(device_code=code).first()
    try:
        judge(row, client_id, scope)
    except LifecycleError as error:
        if error.error == PENDING and _is_too_soon(service, code):
            raise LifecycleError(SLOW_DOWN, "The polls come too fast.") from None
        raise


def judge(row: Any, client_id: str, scope: str | None) -> None:
    """Whether this client may redeem the device code of this row of the toolkit now.

    `row` None: there is no such code. `scope` is what the token request asks for. LifecycleError:
    an error of RFC 8628 §3.5 or RFC 6749 §5.2, for the client.
    """
    if row is None or row.client_id != client_id:
        raise _used()
    if row.status == row.DENIED:
        raise LifecycleError(DENIED, "The user denied the request.")
    if row.status == row.EXPIRED or row.expires <= timezone.now():
        raise LifecycleError(EXPIRED, "The device code has expired.")
    if row.status != row.AUTHORIZED:
        raise LifecycleError(PENDING, "The user has not decided yet.")
    if not set((scope or "").split()) <= set((row.scope or "").split()):
        raise LifecycleError(INVALID_SCOPE, "The scope exceeds what the user allowed.")


def redeem(client: Client, code: str) -> DeviceAuthorization:
    """Use up a device code, in the transaction that issues its tokens; what was kept with it.

    Of two requests with one code, the second waits for the lock on the toolkit's row, and finds
    that the code was redeemed. LifecycleError: it must not be redeemed.
    """
    row: Any = rows.device_codes().filter(device_code=code).select_for_update().first()
    judge(row, client.client_id, None)
    kept = found(client.service, code) or _unasked(client.service, code, row.expires)
    if kept.redeemed_at is not None or (kept.action and kept.grant is None):  # it was purged
        raise _used()
    kept.redeemed_at = clock.now()
    kept.save(force_update=True, update_fields=["redeemed_at"])
    return kept


def _is_too_soon(service: Service, code: str) -> bool:
    """Whether the interval since the last poll has not passed; if it has, this poll is noted.

    One statement decides, so of several polls at one moment one is in time.
    """
    kept = DeviceAuthorization.objects.filter(service=service, digest=sha256(code))
    now = clock.now()
    before = now + JITTER - timedelta(seconds=oauth2_settings.DEVICE_FLOW_INTERVAL)
    in_time = kept.exclude(polled_at__gt=before).update(polled_at=now)
    return not in_time and kept.exists()


def _owner(client: Client, grant_id: str) -> str | None:
    """The subject of the grant that is named; None: there is none."""
    try:
        return Grant.objects.known(client.service, grant_id).subject
    except Grant.DoesNotExist:
        return None


def _unasked(service: Service, code: str, expires_at: datetime) -> DeviceAuthorization:
    """The row of a code that the toolkit's own view issued."""
    row = {"service": service, "digest": sha256(code), "expires_at": expires_at}
    return DeviceAuthorization.objects.create(id=uuid7(clock.now()), **row)


def _used() -> LifecycleError:
    return LifecycleError(INVALID_GRANT, "The device code is not valid.")
