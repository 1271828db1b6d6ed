"""Signals for the host project, sent after commit; a failing receiver harms nobody."""

from django.dispatch import Signal

tokens_dying = Signal()
"""Sent with `sender=Grant`, `grant`, `at`, `access` and `refresh` (which kinds of its tokens die),
inside the transaction in which they do: what a receiver writes is undone with it, and an error of
a receiver undoes all."""

token_presented = Signal()
"""Sent with `sender=AccessToken` or `RefreshToken`, `token` and `value` (its clear value), before
the token is judged. A receiver that knows it to be dead elsewhere sets `token.revoked_at`, and
writes nothing."""

grant_revoked = Signal()
"""Sent with `sender=Grant`, `grants` (a list of Grant) and `events` (a list of GrantEvent)."""
