"""Ends all tokens of a family: those that come from one refresh token by rotation."""

from grant_management.contrib.bridge.deaths import Deaths
from grant_management.models import RefreshToken

from . import rows
from .models import LinkedToken


def end(token: RefreshToken, dying: Deaths) -> None:
    """End the family of a refresh token: allauth's rows, and by `dying` ours.

    Access tokens that were issued with its refresh tokens are of the family. The caller holds the
    lock of the grant or of the client, so no refresh adds to the family meanwhile.
    """
    for digest in token.relatives().filter(revoked_at=None).values_list("digest", flat=True):
        dying.add(RefreshToken, bytes(digest))
    links = LinkedToken.objects.filter(service=token.service_id, family=token.family)
    rows.tokens().valid().filter(pk__in=links.values("token")).delete()  # receivers note them
