"""Each URL path in the documents leads to a view, of the standalone project."""

import re

import pytest
from django.urls import resolve

from grant_management.api.views import ForeignOperationView, UnknownRouteView

from .addresses import path_of
from .pages import PAGES, blocks, inline, short

NOWHERE = (ForeignOperationView, UnknownRouteView)
OURS = r"127\.0\.0\.1:8000|gm\.example\.com"
NOT_OURS = (
    *("/livez", "/readyz", "/.well-known/openid-configuration"),
    *("/api/schema", "/api/schema/page"),
)
"""Answered before Django is asked, by the server that a bridge belongs to, or with `API_SCHEMA`."""


def named(page):
    """In inline code, and in the URLs of commands."""
    codes = [token.content for token in inline(page, "code_inline")]
    urls = [url for block in blocks(page) if block.language == "sh" for url in in_command(block)]
    return sorted({path for code in [*codes, *urls] if (path := path_of(code))})


def in_command(block):
    return re.findall(rf"https?://(?:{OURS})(/[^\s\"'?$]*)(?=[\s\"'?]|$)", block.text)


@pytest.mark.parametrize(
    ("page", "path"), [(page, path) for page in PAGES for path in named(page)], ids=short
)
def test_leads_somewhere(page, path):
    if path not in NOT_OURS:
        view = resolve(path).func
        assert getattr(view, "view_class", None) not in NOWHERE
