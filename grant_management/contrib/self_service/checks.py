"""System checks of the person's pages."""

from typing import Any, Final

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.template import Context, TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from grant_management.conf import Settings, app_settings

ID: Final = "grant_management_self_service"
NEEDED: Final = frozenset({"title", "content"})
"""The blocks of the base template that the pages fill."""


@register(Tags.compatibility)
def check_subject(**kwargs: Any) -> list[CheckMessage]:
    """E001: no function tells who the person is, so no page can be shown."""
    path = app_settings.self_service_subject
    if not _is_installed() or not Settings.self_service_subject.is_usable(path):
        return []
    hint = "Set it to the dotted path of a function from a request to (service, subject) or None."
    if path is None:
        message = "GRANT_MANAGEMENT['SELF_SERVICE_SUBJECT'] is not set."
        return [Error(message, hint=hint, id=f"{ID}.E001")]
    try:
        found = import_string(path)
    except ImportError:
        found = None
    if callable(found):
        return []
    message = "GRANT_MANAGEMENT['SELF_SERVICE_SUBJECT'] leads to no function."
    return [Error(message, hint=hint, id=f"{ID}.E001")]


@register(Tags.templates)
def check_template(**kwargs: Any) -> list[CheckMessage]:
    """E002: the base template cannot be loaded, or lacks a block that the pages fill."""
    name = app_settings.self_service_template
    if not _is_installed() or not Settings.self_service_template.is_usable(name):
        return []
    try:
        missing = NEEDED - _blocks(get_template(name))
    except (TemplateDoesNotExist, TemplateSyntaxError):
        missing = NEEDED
    if not missing:
        return []
    names = ", ".join(sorted(missing))
    message = f"The template of GRANT_MANAGEMENT['SELF_SERVICE_TEMPLATE'] lacks the blocks {names}."
    hint = "Name a template that Django's engine finds, and that has these blocks."
    return [Error(message, hint=hint, id=f"{ID}.E002")]


@register(Tags.urls)
def check_urls(**kwargs: Any) -> list[CheckMessage]:
    """W001: the pages are installed, and nobody can reach them."""
    if not _is_installed():
        return []
    try:
        reverse("grant_management_self_service:apps")
    except NoReverseMatch:
        message = "The URLs of grant_management.contrib.self_service are not included."
        hint = "Include grant_management.contrib.self_service.urls."
        return [CheckWarning(message, hint=hint, id=f"{ID}.W001")]
    return []


def _is_installed() -> bool:
    """Whether the app is one of those of now: a check stays registered once it was."""
    return apps.is_installed("grant_management.contrib.self_service")


def _blocks(loaded: Any) -> set[str]:
    """The names of the blocks of a template of Django's engine, and of those that it extends.

    Of another engine: none.
    """
    nodes = getattr(getattr(loaded, "template", None), "nodelist", None)
    if nodes is None:
        return set()
    names: set[str] = set()
    context = Context()
    context.template = loaded.template
    while nodes is not None:
        names |= {str(node.name) for node in nodes.get_nodes_by_type(BlockNode)}
        extends = nodes.get_nodes_by_type(ExtendsNode)
        # A template may extend another one of its own name, as the context remembers.
        nodes = extends[0].get_parent(context).nodelist if extends else None
    return names
