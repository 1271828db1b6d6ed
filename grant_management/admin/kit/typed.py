"""What an operator types into the filters of a list: it may be a token, so it is posted, and the
address of the list has it encrypted. No URL, no log and no history of a browser shows it.
"""

import base64
import json
from collections.abc import Collection
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import Http404, HttpRequest, QueryDict
from django.utils.crypto import salted_hmac

from ...protocol import strict_json

TYPED: Final = "typed"
"""The parameter that has the texts of all filters, encrypted."""
_SALT: Final = "grant_management.admin.typed"


def sealed(given: QueryDict, texts: Collection[str]) -> str:
    """The query string, in which the values of the parameters in `texts` are encrypted."""
    kept = given.copy()
    kept.pop(TYPED, None)
    # No row has U+0000, and the reader of JSON takes none.
    found = {name: kept.pop(name)[-1].replace("\0", "\ufffd") for name in texts if name in kept}
    if typed := {name: text for name, text in found.items() if text}:
        kept[TYPED] = _keys().encrypt(json.dumps(typed).encode()).decode()
    return kept.urlencode()


def opened(given: QueryDict) -> QueryDict:
    """The parameters with the texts that were encrypted.

    Http404: they cannot be decrypted, so nobody knows which rows are meant.
    """
    if TYPED not in given:
        return given
    found = given.copy()
    try:
        texts = strict_json.loads(_keys().decrypt(found.pop(TYPED)[-1].encode()).decode())
    except (InvalidToken, ValueError):
        raise Http404 from None
    for name, text in texts.items():
        found[name] = text
    return found


def params(request: HttpRequest) -> QueryDict:
    """The filters of a request: as they were posted, or those of its address."""
    return request.POST if request.method == "POST" else opened(request.GET)


def _keys() -> MultiFernet:
    """Keys that are derived from the `SECRET_KEY` of the host, and from its earlier ones."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = (salted_hmac(_SALT, "", one, algorithm="sha256").digest() for one in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(one)) for one in derived])
