"""What a search finds, kind by kind: each is looked up by an index, in all services at once."""

import re
from collections.abc import Callable
from typing import Any, Final

from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Lower
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..db import clock
from ..db.counting import bounded_count, shown_number
from ..db.of_service import at_services
from ..models import (
    AccessToken,
    ApiToken,
    Call,
    Client,
    Grant,
    GrantEvent,
    OrganizationEvent,
    RefreshToken,
    Service,
    Sweep,
)
from ..protocol.results import Result
from .kit.display import in_english, state
from .kit.token_state import token_state
from .kit.utc import exact
from .related import code_url
from .search_settings import SETTINGS
from .sought import Hit, Kind, Rows, Sought

MOST: Final = 10
"""The most rows of one kind that are shown."""
TOKENS: Final = (AccessToken, RefreshToken)
NAMES: Final = 3
"""The most clients of one service that are shown because their names begin with the text."""
_DIGITS: Final = re.compile(r"[0-9A-Fa-f]{6,64}")
_TICKET: Final = ~Q(ticket="")
"""The condition of the indexes by ticket, which a query must repeat."""


def _people(sought: Sought) -> list[Hit]:
    rows = sought.at_services(Grant).filter(subject=sought.text)
    first = rows.order_by("-created_at").values_list("pk", flat=True).first()
    if first is None:
        return []
    number = bounded_count(rows.order_by("-created_at"))
    held = ngettext("%(n)s grant", "%(n)s grants", number) % {"n": shown_number(number)}
    return [Hit(sought.url("grant_person", first), sought.text, (held,))]


def _grants(sought: Sought) -> list[Hit]:
    rows = sought.at_services(Grant).filter(grant_id=sought.text)
    return [
        Hit(sought.url("grant_change", grant.pk), _title(grant), (_status(grant), grant.service))
        for grant in rows.select_related("service", "client")[:MOST]
    ]


def _title(grant: Grant) -> str:
    """As on the page of the grant: its client has a page of its own, and so has the person."""
    names = {"client": grant.client, "subject": grant.subject or _("nobody")}
    return str(_("%(client)s for %(subject)s") % names)


def _status(grant: Grant) -> str:
    status = grant.status(clock.estimate())
    return state(status, status.label)


def _tokens(sought: Sought) -> list[Hit]:
    return [
        hit
        for model in TOKENS
        if sought.sees(model)
        for token in _by_digest(sought, sought.at_services(model))
        if (hit := _token(sought, token))
    ]


def _by_digest(sought: Sought, rows: Rows) -> list[Any]:
    """By the digest of a token's value, or by the first digits of a digest."""
    found = list(rows.filter(digest__in=sought.digests)[:MOST])
    if _DIGITS.fullmatch(sought.text):
        ends = [bytes.fromhex(sought.text.ljust(64, digit)) for digit in "0f"]
        found += rows.filter(digest__gte=ends[0], digest__lte=ends[1])[:MOST]
    return found


def _token(sought: Sought, token: Any) -> Hit:
    """A token leads to its grant; to its own page where it has none, or none that they may see."""
    said = token_state(token)
    model = token._meta.model_name
    has_grant = token.grant_id and sought.sees(Grant)
    page = ("grant_change", token.grant_id) if has_grant else (f"{model}_change", token.pk)
    title = f"{capfirst(token._meta.verbose_name)} {token.digest_prefix}…"
    return Hit(sought.url(*page), title, (said, token.client, token.subject or "", token.service))


def _api_tokens(sought: Sought) -> list[Hit]:
    rows = sought.rows(ApiToken).select_related("service", "organization")
    found = {token.pk: token for token in _by_digest(sought, rows)}
    found |= {token.pk: token for token in rows.filter(prefix=sought.text)[:MOST]}
    return [
        Hit(
            sought.url("apitoken_change", token.pk),
            token,
            (token.description, token.service or token.organization),
        )
        for token in found.values()
    ]


def _clients(sought: Sought) -> list[Hit]:
    folded = Lower(Value(sought.text))
    rows = sought.at_services(Client).annotate(folded=Lower("name")).select_related("service")
    found = {client.pk: client for client in rows.filter(client_id=sought.text)[:MOST]}
    found |= {client.pk: client for client in rows.filter(folded=folded)[:MOST]}
    return [_client(sought, client) for client in found.values()]


def _client(sought: Sought, client: Client) -> Hit:
    about = (client.client_id, client.service)
    return Hit(sought.url("client_change", client.pk), client, about)


def _clients_beginning(sought: Sought) -> list[Hit]:
    """Clients whose names begin with the text: the next few names of each service, by the index.

    The database's order may put other names between them, so a few may be missing.
    """
    folded = Lower(Value(sought.text))
    own = sought.rows(Client).filter(service=OuterRef("pk")).annotate(folded=Lower("name"))
    ahead = own.filter(folded__gt=folded).order_by("folded").values("pk")
    keys = {f"client_{n}": Subquery(ahead[n : n + 1]) for n in range(NAMES)}
    services = Service.objects.filter(pk__in=sought.services).annotate(**keys)
    numbers = {key for row in services.values_list(*keys) for key in row if key is not None}
    found = Client.objects.filter(at_services(sought.services), pk__in=numbers)
    found = found.order_by("name", "pk").select_related("service")
    text = sought.text.lower()
    begins = [client for client in found if text and client.name.lower().startswith(text)]
    return [_client(sought, client) for client in begins[:MOST]]


def _events(sought: Sought) -> list[Hit]:
    """By ticket and by number. By subject only where no grant leads to the person's page."""
    own = sought.at_services(Grant).filter(subject=sought.text)
    rows = sought.at_services(GrantEvent).select_related("service")
    ways = [_TICKET & Q(ticket=sought.text)]
    if not (sought.sees(Grant) and own.exists()):
        ways.append(Q(subject=sought.text))
    found = [one for way in ways for one in rows.filter(way).order_by("-at", "-pk")[:MOST]]
    for name in ("pk", "job") if sought.key else ():
        found += rows.filter(**{name: sought.key})[:MOST]
    return [_event(sought, "grantevent", one, one.service) for one in found]


def _organization_events(sought: Sought) -> list[Hit]:
    rows = sought.rows(OrganizationEvent).select_related("organization")
    found = list(rows.filter(_TICKET, ticket=sought.text).order_by("-at", "-pk")[:MOST])
    found += rows.filter(pk=sought.key) if sought.key else []
    return [_event(sought, "organizationevent", one, one.organization or "") for one in found]


def _event(sought: Sought, model: str, event: Any, where: Any) -> Hit:
    about = (exact(event.at), event.actor, event.ticket, where)
    return Hit(sought.url(f"{model}_change", event.pk), event.kind_in_words, about)


def _of_key(model: type[Any], name: str) -> Callable[[Sought], list[Hit]]:
    """A function that finds the row whose key was typed."""

    def find(sought: Sought) -> list[Hit]:
        found = sought.by_key(model)
        return [Hit(sought.url(name, row.pk), row, (row.service,)) for row in found]

    return find


def _codes(sought: Sought) -> list[Hit]:
    found = [one for one in Result if one.code == sought.text.upper()]
    return [
        Hit(code_url(sought.request, one.code), one.code, (in_english(one.text),)) for one in found
    ]


KINDS: Final = (
    Kind(_("People"), _("a subject"), (Grant,), _people),
    Kind(_("Grants"), _("a grant ID"), (Grant,), _grants),
    Kind(_("Tokens"), _("a token, or its digest's first digits"), TOKENS, _tokens),
    Kind(_("Clients"), _("a client ID or name"), (Client,), _clients),
    Kind(_("Events"), _("an event's number, or a ticket"), (GrantEvent,), _events),
    Kind(_("Calls"), _("a call's number"), (Call,), _of_key(Call, "call_change")),
    Kind(_("Jobs"), _("a job's number"), (Sweep,), _of_key(Sweep, "sweep_change")),
    Kind(_("Result codes"), _("a result code"), (Call,), _codes),
    Kind(_("API tokens"), _("an API token or its prefix"), (ApiToken,), _api_tokens),
    Kind(
        _("Organization events"),
        _("an organization event's number, or a ticket"),
        (OrganizationEvent,),
        _organization_events,
    ),
    *SETTINGS,
)
BEGINNING: Final = Kind(_("Clients whose names begin with it"), "", (Client,), _clients_beginning)
