"""The action that cuts off a service or one of its clients."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from ...models import Client, EventKind, Service
from ...models.cut_off import CutOff
from ...models.stops import stops_of
from .actions import ObjectAction, Text


def _what_a_cut_off_stops(target: Service | Client) -> Iterable[Text]:
    yield _("Every grant and token of %(target)s issued before now stops working at once.") % {
        "target": target
    }
    yield _("Grants and tokens issued later are not affected. It cannot be undone.")


CUT_OFF_SERVICE = ObjectAction(
    name="cut-off",
    permission="cut_off_service",
    label=_("Cut off"),
    kind=EventKind.CUT_OFF,
    applies=lambda target: target.deleted_at is None,
    describe=_what_a_cut_off_stops,
    perform=CutOff.move_cut_off,
    stops=stops_of,
    warns=_("Stops every grant and token issued before now, for good. Those issued later work."),
)
