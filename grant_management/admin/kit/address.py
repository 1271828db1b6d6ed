"""The addresses of pages that are about no row: Django is asked once for each, and not on each of
the console's pages, which link to some thirty. Those of the rows of a list are made of one.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.urls import URLResolver, get_resolver, get_script_prefix, get_urlconf, reverse
from django.utils.translation import get_language

ANY_KEY: Final = UUID(int=0)
"""Stands in an address for the key of a row."""


class _Addresses(dict[str, str]):
    """The address of each name that was asked for, at one admin site."""

    def __init__(self, site: str | None) -> None:
        super().__init__()
        self.site = site

    def __missing__(self, name: str) -> str:
        self[name] = found = reverse(name, current_app=self.site)
        return found


def addresses(site: str | None) -> _Addresses:
    """The addresses at the admin site of this name. NoReverseMatch, by `[]`: there is none of that
    name.
    """
    return _known(get_resolver(get_urlconf()), get_script_prefix(), get_language(), site)


@lru_cache(maxsize=64)
def _known(urls: URLResolver, prefix: str, language: str | None, site: str | None) -> _Addresses:
    """By all that an address depends on; a host's may begin with the language."""
    return _Addresses(site)


def of_rows(address: str) -> Callable[[Any], str]:
    """A function that makes the address of a row's page from its key. `address` is that of the row
    with `ANY_KEY`: Django is asked once, not for each row of a list. "": there is no such page.

    A key is a number or a UUID, so its text is the same in an address.
    """
    before, _key, after = address.partition(str(ANY_KEY))
    return lambda key: f"{before}{key}{after}" if before else ""
