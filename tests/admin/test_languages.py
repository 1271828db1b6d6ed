"""Each page of the admin in German and in Japanese: none of our English words is on it."""

import gettext
import html
import re
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.test import override_settings
from django.urls import resolve, reverse

from grant_management.models import Client, GrantEvent, Organization, Service

from ..standalone import ROOT
from ..test_roles import fill
from ..world import BY_TEST, now

LANGUAGES = ("de", "ja")
SHOWN = ("title", "aria-label", "aria-description", "placeholder", "alt", "data-label")
"""Attributes whose text a person reads or hears."""
WORD = re.compile(r"(?<![\w.])[^\W\d_]{2,}(?!\w|\.\w)")


class Reader(HTMLParser):
    """The texts of a page that are ours: not code, not data, not what is said to be English."""

    VOID = frozenset(("input", "br", "img", "link", "meta", "hr", "wbr", "path", "rect", "line"))
    SKIPPED = frozenset(("script", "style", "code", "pre", "bdi", "textarea"))

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "a":
            self.links.append(values.get("href") or "")
        if tag not in self.VOID:
            is_code = tag in self.SKIPPED or values.get("translate") == "no"
            self.open.append((tag, is_code))
        if any(skipped for _tag, skipped in self.open):
            return
        self.texts += [values[name] for name in SHOWN if values.get(name)]
        if tag == "input" and values.get("type") in ("submit", "button", "reset"):
            self.texts.append(values.get("value") or "")
        self.texts += [value for name, value in attributes if name.startswith("data-text-")]

    def handle_endtag(self, tag):
        while self.open and tag in [one for one, _skipped in self.open]:
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data):
        if data.strip() and not any(skipped for _tag, skipped in self.open):
            self.texts.append(" ".join(data.split()))


def catalogue(language):
    """The texts of the catalogues: pairs of English and the other language."""
    for path in ROOT.glob(f"grant_management/locale/{language}/LC_MESSAGES/django.mo"):
        with path.open("rb") as stream:
            for text, other in gettext.GNUTranslations(stream)._catalog.items():
                if text:
                    yield (text if isinstance(text, str) else text[0]), other


def words(text):
    return {word.casefold() for word in WORD.findall(re.sub(r"%\(\w+\)s|\{\w*\}", " ", text))}


def english(language):
    """Our English words that are no words of the language."""
    ours, theirs = set(), set()
    for text, other in catalogue(language):
        ours |= words(text)
        theirs |= words(other)
    return ours - theirs


@pytest.fixture
def lived(world, admin_client):
    """Rows of every kind, whose names are no English words; and a person's calls and events."""
    rows = fill(world)
    Organization.objects.update(name="Muster")
    Service.objects.update(name="Haus")
    Client.objects.update(name="Kasse", client_id="kasse")
    world.grant(expires_at=now())
    GrantEvent.objects.record(
        "revoked",
        world.service.pk,
        now(),
        BY_TEST,
        grant_id=rows["grant"].grant_id,
        subject="user-1",
        client_id="kasse",
    )
    return rows


def crawl(http, language):
    """The pages of the admin that links lead to, one for each name of a URL: its name and text."""
    seen, queue = {}, [reverse("admin:index")]
    with override_settings(LANGUAGE_CODE=language):
        while queue:
            url = queue.pop(0)
            path = url.partition("?")[0].partition("#")[0]
            name = resolve(path).url_name
            if name in seen or "logout" in path:
                continue
            page = http.get(url, follow=True)
            if not page.get("Content-Type", "").startswith("text/html"):
                seen[name] = ""
                continue
            seen[name] = page.content.decode()
            links = (html.unescape(one) for one in Reader(seen[name]).links)
            queue += [
                one if one.startswith("/") else path + one
                for one in links
                if one.startswith(("/admin/", "?"))
            ]
    return seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages(admin_client, lived, language):
    foreign, found = english(language), {}
    pages = crawl(admin_client, language)
    for name, text in pages.items():
        for one in Reader(text).texts:
            if wrong := words(one) & foreign:
                found.setdefault(one, (name, wrong))
    print(len(pages), sorted(pages))
    names = {n for n in dir_names() if n.startswith("grant_management")}
    print("UNSEEN", sorted(names - set(pages)))
    for one, where in sorted(found.items()):
        print(where[0], "|", one[:150], "|", sorted(where[1]))
    assert not found


def dir_names():
    return {p.name for p in _patterns(admin.site.get_urls()) if p.name}


def _patterns(entries):
    for one in entries:
        if hasattr(one, "url_patterns"):
            yield from _patterns(one.url_patterns)
        else:
            yield one
