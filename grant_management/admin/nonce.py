"""DPoP nonces (RFC 9449 §9): the list, and the action that expires one."""

from collections.abc import Iterable

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..models import DPoPNonce, EventKind
from .kit.actions import ObjectAction, OperatorAdmin, Text
from .kit.display import identifier, time_tag
from .kit.listing import Column, ListAdmin, StoredLaterForm


def _what_expires(nonce: DPoPNonce) -> Iterable[Text]:
    yield _("Proofs with this nonce are refused from now on: their clients get a new one at once.")


EXPIRE = ObjectAction(
    name="expire",
    permission="expire_dpopnonce",
    label=_("Expire now"),
    kind=EventKind.NONCE_EXPIRED,
    applies=lambda nonce: nonce.expires_at > clock.estimate(),
    describe=_what_expires,
    perform=DPoPNonce.expire,
)


class NonceListForm(StoredLaterForm):
    """Filters: service and time. A nonce is made when the first call of its window comes."""

    moment_field = "not_before"


@admin.register(DPoPNonce)
class DPoPNonceAdmin(ListAdmin[DPoPNonce], OperatorAdmin[DPoPNonce]):
    """The nonces that services handed out. They are not secret: every client gets them."""

    object_actions = (EXPIRE,)
    list_form = NonceListForm
    is_merged = False
    columns = (
        Column(_("From"), str, leads=True),
        Column(_("Value"), lambda nonce: identifier(nonce.value, _("nonce")), key="value"),
        Column(_("Expires"), lambda nonce: time_tag(nonce.expires_at), key="expires"),
    )
