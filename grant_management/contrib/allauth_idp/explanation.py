"""What the consent page says of a grant."""

from typing import Any, Final

from allauth.idp.oidc.adapter import get_adapter
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from grant_management.contrib.bridge.consent import scopes_after
from grant_management.lifecycle import Authorization
from grant_management.protocol.content import Content

from .pinned import Request

SENTENCES: Final[dict[str, Promise]] = {
    "create": _("What you allow is kept as a new permission, which you can end at any time."),
    "merge": _("This is added to what you allowed this application before."),
    "replace": _("This takes the place of what you allowed this application before."),
}
"""What becomes of a grant, by the action."""


def explained(authorization: Authorization, shown: Request) -> SafeString:
    """The text under the list of permissions, as HTML; "": the request is about no grant.

    Django prints a field's help text unescaped, and a client chooses the resources in this one.
    """
    parts: list[Any] = [SENTENCES.get(str(authorization.action), "")]
    has = scopes_after(authorization, Content()) if authorization.action is not None else []
    if has:
        labels = get_adapter().scope_display
        parts.append(_("Before: %s.") % ", ".join(str(labels.get(one, one)) for one in has))
    if authorization.action is not None and shown.getlist("resource"):
        parts.append(_("It is limited to: %s.") % ", ".join(shown.getlist("resource")))
    return escape(" ".join(map(str, parts)).strip())
