"""The `htu` of DPoP, in the normal form of RFC 3986 §6.2.2 and §6.2.3; and the URLs of grants."""

import re
import urllib.parse
from typing import Final

UNRESERVED: Final = r"A-Za-z0-9\-._~"
_SUB_DELIMS = "!$&'()*+,;="
_PCT = "%[0-9A-Fa-f]{2}"
_URI = re.compile(
    rf"""(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://
    (?P<host>\[[0-9A-Fa-f:.]+\]|(?:[{UNRESERVED}{_SUB_DELIMS}]|{_PCT})+)
    (?::(?P<port>[0-9]*))?
    (?P<path>(?:/(?:[{UNRESERVED}{_SUB_DELIMS}:@]|{_PCT})*)*)
    (?:\?(?:[{UNRESERVED}{_SUB_DELIMS}:@/?]|{_PCT})*)?
    (?:\#(?:[{UNRESERVED}{_SUB_DELIMS}:@/?]|{_PCT})*)?\Z""",
    re.VERBOSE,
)
# A fast path for what most clients send: it has no escapes, port or dot segments to normalise.
_NORMAL = re.compile(
    rf"""https?://[a-z0-9\-._~]+
    (?:/(?!\.{{1,2}}(?:/|\Z))[{UNRESERVED}{_SUB_DELIMS}:@]*)+\Z""",
    re.VERBOSE,
)
_ESCAPE = re.compile(_PCT)
_UNRESERVED_CHARACTER = re.compile(f"[{UNRESERVED}]")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
GRANT_ID: Final = rf"(?!\.{{1,2}}\Z)[{UNRESERVED}]{{1,255}}"
"""The pattern of a grant ID. Not `.` or `..`, which are removed from a URL (RFC 3986 §5.2.4)."""
_LOCAL_ORIGIN: Final = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?\Z")
_GRANT_ID = re.compile(rf"{GRANT_ID}\Z")


def normalise(uri: str) -> str:
    """The normal form of an http(s) URI, without query and fragment (RFC 9449 §4.3).

    ValueError: not an absolute http or https URI, or one with userinfo or a port above 65535.
    """
    return uri if _NORMAL.match(uri) else _normalised(uri)


def _normalised(uri: str) -> str:
    parts = _URI.match(uri)
    if parts is None:
        raise ValueError("not an absolute http or https URI")
    scheme = parts["scheme"].lower()
    # Lower case twice: an escape may stand for an upper-case letter. Escapes themselves are upper.
    host = _normalise_escapes(parts["host"].lower()).lower()
    path = _remove_dot_segments(_normalise_escapes(parts["path"]))
    return f"{scheme}://{_escapes_upper(host)}{_port(scheme, parts['port'])}{path}"


def is_endpoint(uri: str) -> bool:
    """Whether grant IDs can be appended: the URI is http(s), without query and fragment."""
    return _URI.match(uri) is not None and "?" not in uri and "#" not in uri


def is_https(uri: str) -> bool:
    """Whether it is an absolute https URI that has a normal form: without userinfo, a real port."""
    try:
        return normalise(uri).startswith("https://")
    except ValueError:
        return False


def without_secrets(uri: str) -> str:
    """The URI for others than its owner: its scheme and host, and `…` for what follows.

    A receiver's credential is often in the path, not in the query.
    """
    parts = urllib.parse.urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    hides = parts.path.strip("/") or parts.query
    return f"{parts.scheme}://{host}/{'…' if hides else ''}"


def is_origin(text: str) -> bool:
    """Whether it is an origin as browsers send it (RFC 6454 §6.2): `https://app.example.com`.

    http is for a developer's machine alone, where browsers trust it too.
    """
    try:
        has_normal_form = normalise(text) == f"{text}/"
    except ValueError:
        return False
    is_local = _LOCAL_ORIGIN.match(text) is not None
    return has_normal_form and (text.startswith("https://") or is_local)


def is_grant_id(text: str) -> bool:
    """Whether the text can be a grant ID, which stands in a URL without escapes.

    It has 1 to 255 unreserved characters (RFC 3986 §2.3), and is neither `.` nor `..`.
    """
    return _GRANT_ID.match(text) is not None


def grant_url(endpoint: str, grant_id: str) -> str:
    """The URL of a grant (draft §6.3). Characters that would end its path segment are escaped."""
    segment = grant_id if is_grant_id(grant_id) else urllib.parse.quote(grant_id, safe="")
    return f"{endpoint.removesuffix('/')}/{segment}"


def _normalise_escapes(text: str) -> str:
    """Escapes in upper case, and none for unreserved characters (§6.2.2.1, §6.2.2.2)."""

    def one(escape: re.Match[str]) -> str:
        character = chr(int(escape[0][1:], 16))
        return character if _UNRESERVED_CHARACTER.match(character) else escape[0].upper()

    return _ESCAPE.sub(one, text)


def _escapes_upper(text: str) -> str:
    return _ESCAPE.sub(lambda escape: escape[0].upper(), text)


def _port(scheme: str, port: str | None) -> str:
    """The colon and the port, or "" where it is empty or the scheme's default (§6.2.3)."""
    number = (port or "").lstrip("0")
    if not port or number == _DEFAULT_PORTS[scheme]:
        return ""
    if len(number) > 5 or int(number or "0") > 65535:
        raise ValueError("a port above 65535")
    return f":{number or '0'}"


def _remove_dot_segments(path: str) -> str:
    """RFC 3986 §5.2.4 for a path that is empty or starts with a slash; empty becomes "/"."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
