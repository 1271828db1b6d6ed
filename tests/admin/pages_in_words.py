"""What a person reads on the pages of the admin: found by following links, without code and data."""

import html
import re
from html.parser import HTMLParser

from django.contrib import admin
from django.urls import URLResolver, resolve, reverse

SHOWN = ("title", "aria-label", "aria-description", "placeholder", "data-label")
"""Attributes whose text a person reads or hears."""
VOID = frozenset(("input", "br", "img", "link", "meta", "hr", "wbr", "path", "rect", "line"))
CODE = frozenset(("script", "style", "code", "pre", "textarea"))
STORED = frozenset(("permissions", "user_permissions"))
"""Fields of Django's forms whose choices it stored, in English, when it made the tables."""


class Texts(HTMLParser):
    """The texts of a page, and its links. What is marked as English or as a name is left out:
    `lang="en"` is a text that the API sends, and `translate="no"` are names.
    """

    def __init__(self, page):
        super().__init__()
        self.open, self.found, self.links = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "a":
            self.links.append(html.unescape(values.get("href") or ""))
        if tag not in VOID:
            said = values.get("translate") == "no" or (tag != "html" and values.get("lang") == "en")
            stored = tag == "select" and values.get("name") in STORED
            self.open.append((tag, said or stored or tag in CODE))
        if self._is_left_out():
            return
        self.found += [values[name] for name in SHOWN if values.get(name)]
        if tag == "input" and values.get("type") in ("submit", "button", "reset"):
            self.found.append(values.get("value") or "")

    def handle_endtag(self, tag):
        while self.open and tag in [one for one, _left_out in self.open]:
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data):
        if data.strip() and not self._is_left_out():
            self.found.append(" ".join(data.split()))

    def _is_left_out(self):
        return any(left_out for _tag, left_out in self.open)


def crawl(http, more):
    """Pages of ours: by the name of its URL, the text of one page for each name that a link leads
    to, from the first page and from the URLs in `more`.
    """
    pages, queue = {}, [reverse("admin:index"), *more]
    while queue:
        url = queue.pop(0)
        path = re.split(r"[?#]", url)[0]
        name = resolve(path).url_name
        if name in pages or name.startswith("auth_") or name in ("logout", "password_change"):
            continue
        answer = http.get(url, follow=True)
        is_page = answer.get("Content-Type", "").startswith("text/html")
        pages[name] = answer.content.decode() if is_page else ""
        links = Texts(pages[name]).links
        queue += [one for one in links if one.startswith("/admin/")]
        queue += [path + one for one in links if one.startswith("?")]
    return pages


def names_of_urls():
    """The names of the URLs of the app's pages."""
    found, entries = set(), list(admin.site.get_urls())
    while entries:
        one = entries.pop()
        if isinstance(one, URLResolver):
            entries += one.url_patterns
        elif (one.name or "").startswith("grant_management_"):
            found.add(one.name)
    return found
