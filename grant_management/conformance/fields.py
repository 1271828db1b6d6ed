"""Values of header fields, parsed and compared as their RFCs say."""

import re
from dataclasses import dataclass, field

from .http import Response

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110 §5.6.2
_ELEMENT = re.compile(r'(?:[^",]|"(?:\\.|[^"\\])*"?)+', re.DOTALL)
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+[A-Za-z0-9\-._~+/]+=*)?")
_PARAMETER = re.compile(
    rf'(?:({_TOKEN})[ \t]+)?({_TOKEN})[ \t]*=[ \t]*(?:"((?:\\.|[^"\\])*)"|({_TOKEN}))', re.DOTALL
)


@dataclass(frozen=True)
class Challenge:
    """One challenge of `WWW-Authenticate`: its scheme and parameter names in lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        """Add a parameter. One that comes twice, which RFC 9110 §11.2 forbids, has the value ""."""
        self.parameters[name] = "" if name in self.parameters else value


def elements(value: str) -> list[str]:
    """The elements of a list (RFC 9110 §5.6.1): a comma in a quoted string separates nothing."""
    return [element for one in _ELEMENT.findall(value) if (element := one.strip(" \t"))]


def challenges(response: Response) -> list[Challenge]:
    """The challenges of a response (RFC 9110 §11.6.1), without elements that do not parse."""
    found: list[Challenge] = []
    for element in elements(response.field("WWW-Authenticate")):
        if match := _PARAMETER.fullmatch(element):
            scheme, name, quoted, bare = match.groups()
            if scheme:
                found.append(Challenge(scheme.lower()))
            if found:
                value = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                found[-1].add(name.lower(), value)
        elif match := _SCHEME.fullmatch(element):
            found.append(Challenge(match[1].lower()))
    return found


def is_json(response: Response) -> bool:
    """Whether the media type is application/json, compared without case (RFC 9110 §8.3.1)."""
    values = response.headers.get_all("Content-Type") or []
    return len(values) == 1 and values[0].partition(";")[0].strip().lower() == "application/json"


def is_not_stored(response: Response) -> bool:
    """Whether Cache-Control has the directive no-store, without case (RFC 9111 §5.2)."""
    return "no-store" in {one.lower() for one in elements(response.field("Cache-Control"))}


def allowed_methods(response: Response) -> set[str]:
    """The methods of `Allow`, which are case-sensitive (RFC 9110 §9.1)."""
    return set(elements(response.field("Allow")))
