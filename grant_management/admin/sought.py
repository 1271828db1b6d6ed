"""What is searched for, where, and what a search finds."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise

from ..db import of_service
from ..protocol.digests import sha256
from .related import page_url

Rows = QuerySet[Any]


@dataclass(frozen=True)
class Hit:
    """A row that was found: the URL of a page, its name, and words that tell it from others."""

    url: str
    name: Any
    about: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Sought:
    """The text of a search, and where to look: `services` are those that the operator sees."""

    raw: str
    services: list[int]
    site: AdminSite
    request: HttpRequest

    @cached_property
    def text(self) -> str:
        """The text without spaces around it."""
        return self.raw.strip()

    @cached_property
    def digests(self) -> list[bytes]:
        """The digests of the text, as it was typed and without spaces around it."""
        return list({sha256(self.raw), sha256(self.text)})

    @cached_property
    def key(self) -> uuid.UUID | None:
        """The text as the key of a row; None: it is no key."""
        try:
            return uuid.UUID(self.text)
        except ValueError:
            return None

    def sees(self, model: type[Any]) -> bool:
        """Whether this operator may see rows of the model, at this admin site."""
        return may_see(self.site, self.request, model)

    def rows(self, model: type[Any]) -> Rows:
        """The rows of a model that this operator may see."""
        found: Rows = self.site.get_model_admin(model).get_queryset(self.request)
        return found

    def at_services(self, model: type[Any]) -> Rows:
        """The same, with the services named: every index of a tenant's table begins with them."""
        return self.rows(model).filter(service__in=self.services)

    def by_key(self, model: type[Any]) -> list[Any]:
        """The row of a model of services whose key the text is, if any."""
        rows = self.rows(model).filter(of_service.at_services(self.services), pk=self.key)
        return list(rows) if self.key else []

    def url(self, name: str, *arguments: Any) -> str:
        """The URL of a page of this admin site."""
        return page_url(self.request, name, *arguments)


def may_see(site: AdminSite, request: HttpRequest, model: type[Any]) -> bool:
    """Whether the operator may see rows of the model, at this admin site."""
    is_there = site.is_registered(model)
    return is_there and site.get_model_admin(model).has_view_permission(request)


@dataclass(frozen=True)
class Kind:
    """A kind of rows: what its results are called, and by what a row is found.

    `models` are those that it looks in, as far as the operator may see them.
    """

    title: str | Promise
    sought: str | Promise
    models: tuple[type[Any], ...]
    find: Callable[[Sought], list[Hit]]
