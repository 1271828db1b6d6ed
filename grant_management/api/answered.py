"""What may be said of a call once it is answered: in a line of the log, and in metrics.

Never what it presented: no credential, proof, path, body or address.
"""

import re
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse

from ..models import ApiToken
from ..protocol.results import GMAction

_CODE: Final = re.compile(rb'\{"resultCode": ?"([A-Z0-9]{1,10})"')


class Answered(NamedTuple):
    """A call that was answered. "": it has none, or nobody knows, as before its caller is known."""

    door: str
    """The operation, such as `gm` or `grants.revoke`: one of a fixed set."""
    status: int
    code: str
    """The result code; "" where the answer is a resource, as a person's grants are."""
    action: str
    """QUERY or REVOKE, of a call of the grant management API."""
    service: str
    """The number of the service, once the caller was allowed to use it."""
    token_id: str
    """The `tokenId` of the caller's API token."""
    seconds: float


def answered(request: HttpRequest, response: HttpResponse, view: Any, seconds: float) -> Answered:
    """What the app's `view` and its answer say of a request."""
    call, answer = getattr(request, "gm_call", (None, None))
    caller = getattr(request, "auth", None)
    return Answered(
        door=getattr(view, "door", "") or view.__name__,
        status=response.status_code,
        code=answer.result.code if answer else _code(response),
        action=call.gm_action if call and call.gm_action in GMAction.__members__ else "",
        service=str(getattr(request, "gm_service", "")),
        token_id=str(caller.pk) if isinstance(caller, ApiToken) else "",
        seconds=seconds,
    )


def _code(response: HttpResponse) -> str:
    found = None if response.streaming else _CODE.match(response.content)
    return found[1].decode() if found else ""
