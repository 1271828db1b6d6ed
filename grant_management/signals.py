"""Signals for the host project."""

from django.dispatch import Signal

tokens_dying = Signal()
"""Sent inside the transaction in which tokens of a grant die, with `sender=Grant`, `grant`, `at`
(the time), `access` and `refresh` (whether its tokens of that kind die). An exception in a receiver
rolls the transaction back; what a receiver writes to the app's database is rolled back with it."""

token_presented = Signal()
"""Sent before a presented token is checked, with `sender=AccessToken` or `RefreshToken`, `token`
and `value` (its clear value). A receiver that knows that the token is revoked elsewhere sets
`token.revoked_at`, and writes nothing to the database."""

grant_revoked = Signal()
"""Sent after the commit of a revoke, with `sender=Grant`, `grants` (a list of Grant) and `events`
(a list of GrantEvent). An exception in a receiver has no effect on the caller."""

events_recorded = Signal()
"""Sent after the commit of a change, with `sender=GrantEvent` and `events`: a tuple of
`protocol.event_payload.EventPayload`, one for a change of one grant, many for a batch of a sweep.
Nothing that was rolled back is sent. If the process ends between the commit and the signal, it is
lost: use webhooks for what must arrive. An exception in a receiver has no effect on the caller."""
