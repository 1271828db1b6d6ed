"""`try_grant_management [--base-url URL]`, which each bridge has: it plays a client."""

import base64
import json
import secrets
from contextlib import AbstractContextManager
from typing import Any, Final
from urllib.parse import urlencode

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from grant_management.management.base import GrantManagementCommand
from grant_management.protocol.digests import b64url_encode, sha256

from .loopback import RedirectURI, call
from .scopes import SCOPES
from .server import AuthorizationServer
from .setup_command import add_base_url, base_url, path_of_grant, service_of

CLIENT_ID: Final = "try-grant-management"
NAME: Final = "Try grant management"
EXPECTED: Final = (("GET", 200), ("DELETE", 204), ("GET", 401))
"""What the client does with its grant, and the statuses of the answers."""


class TryCommand(GrantManagementCommand):
    """Plays a client of the server, from the authorization request to the DELETE of its grant.

    The client is made for this run, and deleted at the server in the end; its grant stays here,
    revoked.
    """

    help = "Play a client: get a grant by way of your browser, query it, and give it up."
    server: AuthorizationServer
    authorization_endpoint: str
    token_endpoint: str
    """The names of the URLs."""
    base: str

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address of the running server."""
        super().add_arguments(parser)
        add_base_url(parser)

    def client(self, redirect_uri: str) -> AbstractContextManager[str]:
        """Make a confidential client, and delete it afterwards; yields its secret."""
        raise NotImplementedError

    def handle(self, **options: Any) -> None:
        """Play it. CommandError: an answer was not as it should be; the message has its error."""
        self.base, service = base_url(options), service_of(self.server)
        say = self.stderr if options["json"] else self.stdout
        try:
            self._check_server(path_of_grant(service, "none"))
            with RedirectURI() as redirect, self.client(redirect.uri) as secret:
                tokens = self._tokens(redirect, secret, say)
                path = path_of_grant(service, tokens["grant_id"])
                seen = self._calls(f"{self.base}{path}", tokens["access_token"])
        except OSError:
            raise CommandError(f"{self.base} cannot be reached: start the server first.") from None
        except KeyboardInterrupt:
            raise CommandError("Stopped before the request was allowed.") from None
        self.answer(options, seen, "\n".join(_shown(path, *one) for one in seen))
        if tuple((method, status) for method, status, _ in seen) != EXPECTED:
            raise CommandError("These answers should be 200, 204 and 401.")

    def _check_server(self, path: str) -> None:
        """Ask for a grant with no token of it, before a person opens an address of another server.

        CommandError: it is another one. OSError: it cannot be reached.
        """
        status, members = call("GET", f"{self.base}{path}", {"Authorization": "Bearer none"})
        error = members.get("error") if isinstance(members, dict) else None
        if (status, error) != (401, "invalid_token"):
            raise CommandError(f"Another server answers at {self.base}: name this one's address.")

    def _tokens(self, redirect: RedirectURI, secret: str, say: Any) -> dict[str, str]:
        """The token response to a code that a browser brings, with PKCE (RFC 7636)."""
        verifier = secrets.token_urlsafe(48)
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": redirect.uri,
            "scope": " ".join(SCOPES),
            "state": redirect.state,
            "grant_management_action": "create",
            "code_challenge_method": "S256",
            "code_challenge": b64url_encode(sha256(verifier)),
        }
        say.write("Open this address in a browser, log in, and allow what it asks for:")
        say.write(f"{self.base}{reverse(self.authorization_endpoint)}?{urlencode(asked)}")
        say.flush()
        answer = redirect.wait()
        if "code" not in answer:
            raise _refused("authorization request", answer)
        form = {"grant_type": "authorization_code", "code": answer["code"]}
        form |= {"redirect_uri": redirect.uri, "code_verifier": verifier}
        basic = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
        url = f"{self.base}{reverse(self.token_endpoint)}"
        _, tokens = call("POST", url, {"Authorization": f"Basic {basic}"}, form)
        if not {"access_token", "grant_id"} <= tokens.keys():
            raise _refused("token request", tokens)
        return dict(tokens)

    def _calls(self, url: str, token: str) -> list[tuple[str, int, Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        return [(method, *call(method, url, headers)) for method, _ in EXPECTED]


def _shown(path: str, method: str, status: int, members: Any) -> str:
    return f"{method} {path}: {status} {json.dumps(members) if members else ''}".rstrip()


def _refused(what: str, answer: dict[str, str]) -> CommandError:
    error = answer.get("error", "there is no grant_id in the answer")
    return CommandError(f"The {what} was refused: {error}. {answer.get('error_description', '')}")
