"""What people are told of a client, on its page: its profile, and the way to change it."""

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..models import Client, ClientProfile
from ..models.plain_words import ClientWords, of_clients, reader_languages
from .client_profile import CHANGE
from .kit.display import isolated
from .related import may_view, page_url


def told(client: Client, request: HttpRequest) -> dict[str, Any]:
    """The template's context: `told` are the facts of the profile, and `profile_url` its page, for
    those who may see it. 3 queries.
    """
    if not (may_view(request, "clientprofile") and page_url(request, "clientprofile_changelist")):
        return {}
    is_known = ClientProfile.objects.filter(service=client.service_id, pk=client.pk).exists()
    words = of_clients([client], reader_languages())[client.pk]
    return {
        "told": _facts(words, page_url(request, "clientprofile_logo", client.pk)),
        "told_language": words.language,
        "profile": _page(client, request, is_known=is_known or bool(words.logo)),
    }


def _facts(words: ClientWords, logo_url: str) -> list[tuple[Any, Any]]:
    facts = [
        (_("Logo"), _picture(words, logo_url)),
        (_("Name"), isolated(words.name) if words.language else ""),
        (_("Site"), _outside(words.site, words.site)),
        (_("Contact"), _outside(words.contact_url, words.contact)),
        (_("Terms of use"), _outside(words.terms, words.terms)),
    ]
    return [fact for fact in facts if fact[1]]


def _picture(words: ClientWords, url: str) -> str:
    if not (words.logo and url):
        return ""
    return format_html('<img src="{}?{}" width="64" height="64" alt="">', url, words.logo[:8])


def _outside(url: str, text: str) -> str:
    """A link out of the console, which tells the other site nothing of it."""
    if not url:
        return ""
    return format_html(
        '<a href="{}" rel="noopener noreferrer nofollow"><bdi class="gm-long">{}</bdi></a>',
        url,
        text,
    )


def _page(client: Client, request: HttpRequest, *, is_known: bool) -> tuple[Any, str] | None:
    """The label and the URL of the page to change the profile, or to see it; None: there is none
    that this operator may open.
    """
    may = request.user.has_perm(CHANGE) and client.deleted_at is None
    if is_known:
        name, label = ("edit", _("Change profile…")) if may else ("change", _("Profile"))
        return label, page_url(request, f"clientprofile_{name}", client.pk)
    if not may:
        return None
    return _("Add profile…"), f"{page_url(request, 'clientprofile_describe')}?client={client.pk}"
