"""The calls that the examples of the document are, door by door."""

from . import authlete, endpoint, provisioning, self_service, store, streams, webhooks

ALL = [
    call
    for door in (endpoint, store, webhooks, streams, authlete, provisioning, self_service)
    for call in door.CALLS
]
