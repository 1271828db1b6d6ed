"""How checks are declared, run in order, and what they come to."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .config import Config, ConfigError
from .http import Response, send


class Outcome(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Failure(Exception):
    """The server does not do what the draft says. The message says what it does."""


class Skip(Exception):
    """The check cannot be done here. The message says what is missing."""


@dataclass
class Subject:
    """The server under test, and what is known of it so far."""

    config: Config
    metadata: dict[str, Any] = field(default_factory=dict)
    grant_id: str = ""
    access_token: str = ""
    refresh_token: str = ""

    @property
    def endpoint(self) -> str:
        """The config's, or the metadata's."""
        found = self.config.grant_management_endpoint or self.metadata.get(
            "grant_management_endpoint", ""
        )
        if not found:
            raise Skip("no grant_management_endpoint in the config or the metadata")
        return str(found).removesuffix("/")

    def request(
        self, method: str = "GET", grant_id: str | None = None, token: str | None = None
    ) -> Response:
        """A request for a grant: by default for the one under test, with its token."""
        wanted = self.need("grant_id") if grant_id is None else grant_id
        bearer = self.need("access_token") if token is None else token
        return send(method, f"{self.endpoint}/{wanted}", token=bearer, timeout=self.config.timeout)

    def need(self, name: str) -> str:
        """A value that a check cannot do without."""
        value: str = getattr(self, name, "") or getattr(self.config, name, "")
        if not value:
            raise Skip(f"no {name} in the config")
        return value

    def authorize(self, **parameters: str) -> dict[str, Any]:
        """An authorization request; the token response, or the error."""
        if not self.config.authorize:
            raise Skip("no 'authorize' program in the config")
        return self.config.run_authorize(**parameters)

    def take(self, tokens: dict[str, Any]) -> None:
        """Go on with these tokens."""
        require("access_token" in tokens, f"no access token was issued: {tokens.get('error')}")
        self.access_token = tokens["access_token"]
        self.refresh_token = tokens.get("refresh_token", "")


@dataclass(frozen=True)
class Check:
    """One requirement: its number, the section of the draft, what must hold, how it is seen."""

    number: str
    section: str
    title: str
    run: Callable[[Subject], None]


@dataclass(frozen=True)
class Finding:
    """A check, and what it came to. `seconds` is how long it took."""

    check: Check
    outcome: Outcome
    detail: str
    seconds: float


CHECKS: list[Check] = []


def check(
    number: str, section: str, title: str
) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    """Declare a check; they run in the order of the file."""

    def declare(run: Callable[[Subject], None]) -> Callable[[Subject], None]:
        CHECKS.append(Check(number, section, title, run))
        return run

    return declare


def require(condition: bool, message: str) -> None:
    """Failure where the condition does not hold."""
    if not condition:
        raise Failure(message)


def run_all(subject: Subject, tell: Callable[[Finding], None]) -> list[Finding]:
    """Every check, in order; each finding is told as it is made."""
    from . import checks  # noqa: F401 - declares them

    findings = []
    for one in CHECKS:
        finding = _run(one, subject)
        tell(finding)
        findings.append(finding)
    return findings


def _run(one: Check, subject: Subject) -> Finding:
    start = time.monotonic()
    outcome, detail = Outcome.PASSED, ""
    try:
        one.run(subject)
    except Skip as skip:
        outcome, detail = Outcome.SKIPPED, str(skip)
    except (Failure, ConfigError) as failure:
        outcome, detail = Outcome.FAILED, str(failure)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        outcome, detail = Outcome.FAILED, f"{type(error).__name__}: {error}"
    return Finding(one, outcome, detail, time.monotonic() - start)
