"""Checks of the metadata (draft §7.1)."""

import re
from typing import Any
from urllib.parse import urlsplit

from ..discovery import metadata_url
from ..server_under_test import ServerUnderTest
from ..suite import Check, declare
from ..verdict import Failure, Skip, require
from .expect import array
from .repairs import REPAIRS

CHECKS: list[Check] = []
check = declare(CHECKS, REPAIRS)

ACTIONS = {"query", "revoke", "create", "merge", "replace"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)


@check("GM-01", "7.1", "grant_management_actions_supported lists actions of the draft")
def _(server: ServerUnderTest) -> None:
    name = "grant_management_actions_supported"
    actions = array(server.metadata().get(name), name)
    require(bool(actions), "the array is empty")
    unknown = [one for one in actions if not isinstance(one, str) or one not in ACTIONS]
    require(not unknown, f"unknown actions: {unknown}")


@check("GM-02", "6.2, 7.1", "grant_management_endpoint is an https URL")
def _(server: ServerUnderTest) -> None:
    _is_endpoint(server.endpoint())
    if metadata_url(server.config):
        name = "grant_management_endpoint"
        _is_endpoint(server.metadata().get(name, server.config.grant_management_endpoint))


@check("GM-03", "7.1", "grant_management_action_required is a boolean")
def _(server: ServerUnderTest) -> None:
    metadata = server.metadata()
    if "grant_management_action_required" not in metadata:
        raise Skip("the member is absent, which means false")
    value = metadata["grant_management_action_required"]
    require(isinstance(value, bool), "it is no boolean")


def _is_endpoint(url: Any) -> None:
    """Failure unless it is an absolute https URL to which a path can be added; loopback may be
    http.
    """
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise Failure(f"it is no https URL: {url}")
    parts = urlsplit(url)
    require(bool(parts.hostname) and parts.port != 0, "it has no host")
    require(parts.scheme == "https" or parts.hostname in LOOPBACK, f"it is {parts.scheme}")
    require("?" not in url and "#" not in url, "it has a query or a fragment")
    require("@" not in parts.netloc, "it has user information")
