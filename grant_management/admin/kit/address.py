"""The addresses of pages that are about no row: Django is asked once for each, and not on each of
the console's pages, which link to some thirty.
"""

from functools import lru_cache

from django.urls import URLResolver, get_resolver, get_script_prefix, get_urlconf, reverse
from django.utils.translation import get_language


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
