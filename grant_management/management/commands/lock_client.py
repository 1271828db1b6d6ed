"""`lock_client --service N --client ID`."""

from typing import Any

from ...models import Reason
from ...models.stops import stops_of
from ..base import ClientCommand, find_client, find_service


class Command(ClientCommand):
    """Locks a client."""

    help = "Lock a client: none of its tokens works until it is unlocked."

    def handle(self, **options: Any) -> None:
        """Lock the client. It is no error where it is locked already."""
        client = find_client(find_service(options["service"]), options["client"])
        locked = client.lock(self.actor, Reason(""), told=stops_of(client).as_json())
        said = "locked" if locked else "had been locked before"
        self.answer(options, self.stamp(client), f"Client {client.client_id} {said}.")
