"""The server under test, and what is known of it so far."""

import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from . import program
from .config import Config
from .deadline import Patience
from .disclosure import Secrets
from .discovery import metadata_url, read_metadata
from .grant import Grant, refresh_token_of
from .http import Response, basic, bearer, send
from .verdict import Failure, Skip, require

# A path segment that no URL parser changes (RFC 3986 §3.3, §5.2.4).
_SEGMENT = re.compile(r"(?!\.\.?$)[A-Za-z0-9\-._~!$&'()*+,;=:@]+")


@dataclass
class ServerUnderTest:
    """The server under test, and what is known of it so far.

    Skip is raised for what the operator did not give, Failure for what the server did not give.
    """

    config: Config
    # The grant under test: the config's, until the suite creates one.
    grant: Grant = field(init=False)
    # A second grant: the target of harmful requests that must be refused.
    spare: Grant | None = None
    # The token response to the create of GM-04; empty where that failed.
    created: dict[str, Any] = field(default_factory=dict)
    # Errors of the controls before the revoke, by the check that each control belongs to.
    before_revoke: dict[str, Exception] = field(default_factory=dict)
    # Whether the revoke was acknowledged.
    revoked: bool = False
    _patience: Patience = field(default_factory=lambda: Patience("the server"))
    _patience_with_program: Patience = field(default_factory=lambda: Patience(program.WHO))

    def __post_init__(self) -> None:
        config = self.config
        self.grant = Grant(config.grant_id, config.access_token, config.refresh_token)
        self.secrets = Secrets(
            config.client_secret,
            basic(config.client_id, config.client_secret),
            config.access_token,
            config.refresh_token,
            config.outliving_access_token,
            config.weak_access_token,
        )

    def given(self, name: str) -> str:
        """A member of the config. Skip: it is not given."""
        value: str = getattr(self.config, name)
        if not value:
            raise Skip(f"no {name} in the config")
        return value

    def own(self, *needed: str) -> Grant:
        """The grant under test. `needed` are the members that it must have: by default the ID and
        the access token. Skip or Failure: one is missing.
        """
        for name in needed or ("grant_id", "access_token"):
            if not getattr(self.grant, name):
                require(not self.config.authorize, "there is no grant: GM-04 failed")
                raise Skip(f"no {name} and no 'authorize' program in the config")
        return self.grant

    # Metadata

    def metadata(self) -> dict[str, Any]:
        """The server's metadata, read once; the error of that read is raised at each call."""
        if isinstance(self._metadata, Exception):
            raise self._metadata
        return self._metadata

    @cached_property
    def _metadata(self) -> dict[str, Any] | Exception:
        try:
            return read_metadata(self.config)
        except Exception as error:  # noqa: BLE001 - raised where it is asked for
            return error

    def endpoint(self) -> str:
        """The grant management endpoint of the config or the metadata, without a "/" at its end."""
        if self.config.grant_management_endpoint:
            return self.config.grant_management_endpoint.removesuffix("/")
        if not metadata_url(self.config):
            raise Skip("no grant_management_endpoint, issuer or metadata_url in the config")
        value = self.metadata().get("grant_management_endpoint")
        if not isinstance(value, str):
            name = "grant_management_endpoint"
            wrong = f"the metadata has no {name}" if value is None else f"{name} is no string"
            raise Failure(wrong, f"Publish {name} in the metadata (GM-02).")
        return value.removesuffix("/")

    # Requests

    def request(
        self, method: str = "GET", grant_id: str | None = None, token: str | None = None
    ) -> Response:
        """Send a request for a grant: by default for the one under test, with its access token.

        `token` "": no access token. Failure: the grant_id does not fit into a URL.
        """
        grant_id = self.own("grant_id").grant_id if grant_id is None else grant_id
        token = self.own("access_token").access_token if token is None else token
        endpoint = self.endpoint()
        require(bool(_SEGMENT.fullmatch(grant_id)), f"no URL can carry the grant_id {grant_id}")
        return self.send(method, f"{endpoint}/{grant_id}", token)

    def send(self, method: str, url: str, token: str) -> Response:
        """Send a request with this access token; "": without one."""
        credentials = bearer(token) if token else ""
        return self._patience.ask(
            lambda: send(method, url, credentials=credentials, timeout=self.config.timeout)
        )

    def authorize(self, **parameters: str) -> dict[str, Any]:
        """Send an authorization request; the token response, or the error.

        Parameters that are "" are left out. Skip: there is no 'authorize' program.
        """
        if not self.config.authorize:
            raise Skip("no 'authorize' program in the config")
        asked = {name: value for name, value in parameters.items() if value}
        given = json.dumps(asked).encode()
        answer = self._patience_with_program.ask(
            lambda: program.run(self.config.authorize, given, self.config.authorize_timeout)
        )
        self.secrets.learn(answer)
        return answer

    def create(self, scope: str = "") -> Grant:
        """Create another grant, with this scope or else the config's."""
        wanted = scope or self.config.scope
        return Grant.issued(self.authorize(grant_management_action="create", scope=wanted))

    def change(self, action: str, grant: Grant, scope: str) -> Grant:
        """Merge or replace a grant; the grant with new tokens. Failure: its grant_id changed."""
        changed = Grant.issued(
            self.authorize(grant_management_action=action, grant_id=grant.grant_id, scope=scope)
        )
        require(changed.grant_id == grant.grant_id, f"grant_id became {changed.grant_id}")
        return changed

    def refresh(self, refresh_token: str) -> Response:
        """Send a refresh request of the client (RFC 6749 §6)."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        config = self.config
        credentials = f"Basic {basic(config.client_id, config.client_secret)}"
        return self._patience.ask(
            lambda: send(
                "POST",
                config.token_endpoint,
                credentials=credentials,
                form=form,
                timeout=config.timeout,
            )
        )

    def renew(self, grant: Grant) -> Grant:
        """The grant with refreshed tokens. As long as it is alive, its refresh token must work.

        Failure: it does not work. Without a refresh token or a token endpoint the grant is returned
        as it is.
        """
        if not grant.refresh_token or not self.config.token_endpoint:
            return grant
        response = self.refresh(grant.refresh_token)
        require(response.status == 200, f"the living grant's refresh: HTTP {response.status}")
        answer = response.members()
        self.secrets.learn(answer)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise Failure("the living grant's refresh: there is no access_token")
        kept = refresh_token_of(answer) or grant.refresh_token
        return replace(grant, access_token=token, refresh_token=kept)
