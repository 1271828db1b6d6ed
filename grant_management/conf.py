"""The settings of the app: `GRANT_MANAGEMENT` in the host's settings, a dict, read when it is used.

Each key is an attribute of `Settings` in lower case, with its default and its rule. The system
checks apply the rules to the host's values. The documents have them in a table; a test compares the
two.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, Generic, Self, TypeVar, overload

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from . import home

T = TypeVar("T")
DOCUMENTS: Final = home.DOCUMENTS
"""The address of the documents: the same as `Documentation` in pyproject.toml."""


@cache
def configured() -> dict[str, Any]:
    """The host's `GRANT_MANAGEMENT`; {}: there is none, or it is not a dict."""
    value = getattr(settings, "GRANT_MANAGEMENT", {})
    return value if isinstance(value, dict) else {}


@receiver(setting_changed)
def _forget(*, setting: str, **_signal: Any) -> None:
    """Read the setting again: tests change it, while a running server never does."""
    if setting == "GRANT_MANAGEMENT":
        configured.cache_clear()


class Setting(Generic[T]):
    """A key of `GRANT_MANAGEMENT`, as an attribute that has the host's value or the default.

    Where `is_usable` is false of the host's value, the system check `error` (such as "E003") says
    that the key must be `must_be`.
    """

    def __init__(
        self, default: T, is_usable: Callable[[Any], bool], must_be: str, error: str
    ) -> None:
        self.default = default
        self.is_usable = is_usable
        self.must_be = must_be
        self.error = error

    def __set_name__(self, owner: type, name: str) -> None:
        self.key = name.upper()

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> "Self | T":
        """The host's value, or the default; the setting itself on the class."""
        if instance is None:
            return self
        value: T = configured().get(self.key, self.default)
        return value


def _is_positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_positive_or_none(value: Any) -> bool:
    return value is None or _is_positive(value)


def _is_rate(value: Any) -> bool:
    return value is None or bool(re.fullmatch(r"[1-9][0-9]*/[smhd][a-z]*", str(value)))


def _is_header(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value != "")


def _is_dotted_or_none(value: Any) -> bool:
    return value is None or bool(re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", str(value)))


def _is_database_or_none(value: Any) -> bool:
    if value is None:
        return True
    found = settings.DATABASES.get(value, {}) if isinstance(value, str) else {}
    return "postgresql" in found.get("ENGINE", "")


def _are_databases(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_positive(key) and isinstance(alias, str) and alias in settings.DATABASES
        for key, alias in value.items()
    )


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _are_networks(value: Any) -> bool:
    try:
        return isinstance(value, list) and all(ipaddress.ip_network(one) for one in value)
    except (ValueError, TypeError):
        return False


def _are_keys(value: Any) -> bool:
    try:
        return isinstance(value, list) and all(Fernet(one) for one in value)
    except (ValueError, TypeError, AttributeError):
        return False


def _are_delays(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= 50 and all(map(_is_delay, value))


def _is_delay(value: Any) -> bool:
    return _is_positive(value) and bool(value <= 604_800)


class Settings:
    """All keys, in the order of the documents' table."""

    max_body_size = Setting(1_048_576, _is_positive, "a number of bytes above 0", "E003")
    """Bytes that the body of a request may have."""
    throttle_rate = Setting[str | None](None, _is_rate, "None or a rate such as '100/s'", "E004")
    """Calls that each API token may make, as a rate of Django REST framework; None: unlimited."""
    client_certificate_header = Setting[str | None](
        None, _is_header, "None or the name of a header", "E015"
    )
    """The header in which a proxy passes on the client's TLS certificate; None: no proxy does."""
    trusted_proxies = Setting[list[str]](
        [], _are_networks, "a list of networks: '10.0.0.0/8'", "E005"
    )
    """The networks of the proxies that may set that header. From elsewhere it is ignored."""
    underscores_are_dropped = Setting(
        False, lambda value: isinstance(value, bool), "True or False", "E009"
    )
    """True: the proxies or the server drop every header whose name has an underscore."""
    event_retention_days = Setting[int | None](
        None, _is_positive_or_none, "None or a number above 0", "E007"
    )
    """Days that events are kept; None: for ever."""
    call_log_sample = Setting(1, _is_positive, "a number above 0", "E008")
    """On average one call in this many is logged, where a service keeps a log; 1: every call."""
    max_grant_content = Setting(262_144, _is_positive, "a number of bytes above 0", "E011")
    """Bytes that the JSON texts of one grant may have together."""
    max_grant_pairs = Setting(10_000, _is_positive, "a number above 0", "E012")
    """Pairs of a scope and a resource that one grant may have."""
    max_import_line = Setting(1_048_576, _is_positive, "a number of bytes above 0", "E013")
    """Bytes that a line of an import may have."""
    writes_at_once = Setting[int | None](
        None, _is_positive_or_none, "None or a number above 0", "E019"
    )
    """Transactions of one process that may write at a time; None: as many as it has threads."""
    read_replica = Setting[str | None](
        None, _is_database_or_none, "None or a key of DATABASES, with PostgreSQL", "E037"
    )
    """The alias of a standby that lists, counts, the overview and exports read; None: none."""
    service_databases = Setting[dict[int, str]](
        {}, _are_databases, "a dict of numbers of services and keys of DATABASES", "E038"
    )
    """The databases of services that live apart from the others (`db.apart`); {}: none does."""
    oauth_toolkit_service = Setting[int | None](
        None, _is_positive_or_none, "None or the number of a service", "E016"
    )
    """The number of the service of django-oauth-toolkit's tokens; None: the only service."""
    allauth_service = Setting[int | None](
        None, _is_positive_or_none, "None or the number of a service", "E021"
    )
    """The number of the service of django-allauth's tokens; None: the only service."""
    encryption_keys = Setting[list[str]](
        [], _are_keys, "a list of keys of Fernet: 32 bytes in base64url", "E023"
    )
    """Keys for the secrets of webhooks and streams. The first one encrypts, all decrypt."""
    event_signing_keys = Setting[list[str]](
        [], _are_keys, "a list of Ed25519 keys: 32 bytes in base64url", "E026"
    )
    """Keys that sign the heads of event chains. The first one signs, all verify; []: no heads."""
    webhook_networks = Setting[list[str]](
        [], _are_networks, "a list of networks: '10.0.0.0/8'", "E024"
    )
    """Networks that events may be sent to though they are not globally routable."""
    webhook_retries = Setting[list[int]](
        [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
        _are_delays,
        "a list of 1 to 50 numbers of seconds, 1 to 604800 each",
        "E025",
    )
    """Seconds between two attempts of a delivery, each made longer or shorter by up to a fifth."""

    metrics = Setting(False, lambda value: isinstance(value, bool), "True or False", "E033")
    """True: calls are counted for Prometheus, which needs the extra `prometheus`."""
    traces = Setting(False, lambda value: isinstance(value, bool), "True or False", "E035")
    """True: calls make spans for OpenTelemetry, which needs the extra `otel`."""
    self_service_subject = Setting[str | None](
        None, _is_dotted_or_none, "None or the dotted path of a function", "E031"
    )
    """The function from a request to the service and the subject of the person who logged in."""
    self_service_template = Setting(
        "grant_management_self_service/base.html", _is_name, "the name of a template", "E032"
    )
    """The template that the person's pages extend; they fill its blocks `title` and `content`."""

    @classmethod
    def all(cls) -> Iterator[Setting[Any]]:
        """All settings, in the order of their declaration."""
        return (one for one in vars(cls).values() if isinstance(one, Setting))


app_settings: Final = Settings()
