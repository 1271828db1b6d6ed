"""`SERVICE_DATABASES`: services that live apart, each in a database that has a URL of its own."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from .url import parse

PAIR: Final = re.compile(r"([1-9][0-9]{0,18})=([a-z][a-z0-9_]{0,30})")
TAKEN: Final = ("default", "replica")


def parse_map(text: str) -> dict[int, str]:
    """The aliases by the numbers of services, of `1001=eu,1002=us`. ImproperlyConfigured: it is no
    such list, or names a service twice.
    """
    pairs = [PAIR.fullmatch(part.strip()) for part in text.split(",") if part.strip()]
    found = {int(pair[1]): pair[2] for pair in pairs if pair}
    if len(found) < len(pairs) or set(TAKEN) & set(found.values()):
        raise ImproperlyConfigured(
            "SERVICE_DATABASES must be numbers of services, each once, with names of databases in"
            f" small letters other than {' and '.join(TAKEN)}: 1001=eu,1002=us."
        )
    return found


def databases_of(found: dict[int, str], environ: Mapping[str, str], engine: str) -> dict[str, Any]:
    """The entries of `DATABASES`, from `DATABASE_URL_EU` for `eu`. ImproperlyConfigured: one is
    missing, is refused, or is not of the first one's `engine`; the message shows no URL.
    """
    databases = {}
    for alias in sorted(set(found.values())):
        name = f"DATABASE_URL_{alias.upper()}"
        if not environ.get(name):
            raise ImproperlyConfigured(f"SERVICE_DATABASES names {alias}: set {name}.")
        try:
            databases[alias] = parse(environ[name])
        except ImproperlyConfigured as refused:
            said = str(refused).replace("DATABASE_URL", name, 1)
            raise ImproperlyConfigured(said) from None
        if databases[alias]["ENGINE"] != engine:
            raise ImproperlyConfigured(f"{name} must be of the same kind as DATABASE_URL.")
    return databases
