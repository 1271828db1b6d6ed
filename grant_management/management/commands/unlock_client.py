"""`unlock_client --service N --client ID`."""

from typing import Any

from ...models import Reason
from ..base import ClientCommand, find_client, find_service


class Command(ClientCommand):
    """Unlocks a client."""

    help = "Unlock a client: its tokens that are still alive work again."

    def handle(self, **options: Any) -> None:
        """Unlock the client. It is no error where it is not locked."""
        client = find_client(find_service(options["service"]), options["client"])
        unlocked = client.unlock(self.actor, Reason(""))
        said = "unlocked" if unlocked else "was not locked"
        self.answer(options, self.stamp(client), f"Client {client.client_id} {said}.")
