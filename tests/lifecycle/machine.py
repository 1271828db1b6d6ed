"""The whole life of a grant, through every door, in any order; after each step all doors agree with
the model.

The clock is shifted by moving every stamp back (`doors.shift`), by half days; what ends, ends ten
minutes before one. So no comparison is ever close, however slow the machine is.
"""

import json
import re
import uuid
from collections import Counter
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from grant_management import lifecycle
from grant_management.lifecycle import Issue, LifecycleError
from grant_management.models import ApiToken, Client, Grant, Organization, Service
from grant_management.protocol import strict_json
from grant_management.protocol.content import Content
from grant_management.protocol.digests import sha256

from ..world import ENDPOINT, api_token_of
from . import doors, model, records
from .model import ACCESS, CLIENT, CLIENT_AND_SUBJECT, QUERY, REFRESH, REVOKE, Event, Held, Model

TICK = timedelta(hours=12)
MARGIN = timedelta(minutes=10)
ACCESS_LASTS, REFRESH_LASTS = TICK - MARGIN, 4 * TICK - MARGIN
SERVICES, CLIENTS = ("A", "B"), ("app-1", "app-2")
CREDENTIALS = "CLIENT_CREDENTIALS"

# -- what is drawn ------------------------------------------------------------------------------


def some(what):
    """One of what there is now of a kind."""
    return st.runner().flatmap(lambda machine: st.sampled_from(machine.choices(what)))


def having(*kinds):
    return precondition(lambda machine: all(machine.choices(kind) for kind in kinds))


rarely = precondition(lambda machine: machine.turn % 4 == 3)
"""What ends much, or concerns much: else there would be nothing left to end."""


SUBJECTS = st.sampled_from(["user-1", "user-2", None])
PAIRS = st.tuples(
    st.sampled_from(["read", "write", "pay"]),
    st.sampled_from([None, "https://a.example", "https://b.example"]),
)
DETAILS = ['{"type":"pay","n":1}', '{"type":"pay"}', '{"n":1.0,"type":"pay"}', '{"type":"see"}']
HELD = st.builds(
    Held,
    st.frozensets(PAIRS, max_size=3),
    st.frozensets(st.sampled_from(["email", "name"])),
    st.lists(
        st.sampled_from(DETAILS),
        max_size=2,
        unique_by=lambda one: frozenset(json.loads(one).items()),
    ).map(tuple),
)
TOKEN_SCOPES = st.sampled_from(
    [{QUERY, REVOKE, "read"}, {QUERY, REVOKE}, {QUERY}, {REVOKE, "read"}, {"read"}]
)
ASKED = st.sampled_from([(), (), ("read",), (QUERY,), ("admin", "read")])
"""For a refresh: all, less, or more than there is."""
NUMBERS = st.sampled_from([None, 1, 3])
"""Of half days; None: not said."""
ACTORS = ("store", "command", "admin")


class GrantLife(RuleBasedStateMachine):
    """`door` and `folder` are given by the test."""

    door = None
    folder = None

    def __init__(self):
        super().__init__()
        doors.wipe()
        self.model = Model()
        self.shifted = timedelta(0)
        self.made = Counter()
        self.known_events = set()
        self.touched, self.dead = [], set()
        self.moments, self.consents, self.codes, self.backups = [], [], [], []
        self.turn = 0

    @initialize(
        ownership=st.sampled_from([CLIENT_AND_SUBJECT, CLIENT]),
        revoke_access_tokens=st.booleans(),
    )
    def start(self, ownership, revoke_access_tokens):
        """Two services of an organization; the first has the drawn settings, the other the default."""
        organization = Organization.objects.create(name="Example Bank")
        self.door.api_token = api_token_of(organization=organization)
        self.api_token = ("api_token", ApiToken.objects.get().prefix)
        drawn = {"ownership": ownership, "revoke_access_tokens": revoke_access_tokens}
        for name, settings in zip(SERVICES, (drawn, {}), strict=True):
            row = Service.objects.create(
                organization=organization,
                name=name,
                grant_management_endpoint=ENDPOINT,
                access_token_duration=ACCESS_LASTS.total_seconds(),
                refresh_token_duration=REFRESH_LASTS.total_seconds(),
                **settings,
            )
            self.door.numbers[name] = row.pk
            service = model.Service(name, **settings)
            self.model.services.append(service)
            for client_id in CLIENTS:
                Client.objects.create(service=row, client_id=client_id)
                self.model.clients.append(model.Client(service, client_id))
        for client in self.model.clients[:3]:
            held = Held(frozenset({("read", None), ("pay", "https://a.example")}))
            self.create(client, "user-1", held, None, True)
            self.issue(self.model.grants[-1], {QUERY, REVOKE, "read"}, False, "", (None, None))

    # -- what there is ------------------------------------------------------------------------

    def now(self):
        return doors.now() + self.shifted

    def real(self, moment):
        """As the database has it today."""
        return moment - self.shifted

    def choices(self, what):
        """Those that are alive come three times more, for what is dead can do little."""
        tokens, now = self.model.tokens, self.now()
        grants = [one for one in self.model.grants if not one.is_gone]
        if what == "grant":
            return grants + 3 * [one for one in grants if one.status(now) in ("active", "pending")]
        if what in (ACCESS, REFRESH):
            of_kind = [one for one in tokens if one.kind == what]
            return of_kind + 3 * [one for one in of_kind if not one.is_gone and one.is_active(now)]
        if what == "rotated":
            return [one for one in tokens if one.rotated and not one.is_gone]
        if what == "refreshable":
            alive = [one for one in tokens if not one.is_gone and one.is_active(now)]
            return [one for one in alive if one.kind == REFRESH]
        return {
            "client": self.model.clients,
            "service": self.model.services,
            "moment": self.moments,
            "consent": self.consents,
            "code": self.codes,
            "backup": self.backups,
        }[what]

    def name(self, letter):
        self.made[letter] += 1
        return f"{letter}{self.made[letter]}"

    def touch(self, *things):
        """To be looked at through every door after this step."""
        self.touched += [one for one in things if one is not None]

    def client_row(self, client):
        rows = Client.objects.select_related("service")
        number = self.door.numbers[client.service.name]
        return rows.get(service=number, client_id=client.client_id)

    def grant_row(self, grant):
        number = self.door.numbers[grant.service.name]
        return Grant.objects.select_related("service", "client").get(
            service=number, grant_id=grant.grant_id
        )

    def end(self, number):
        """So many half days from now, less the margin, to the millisecond; None: none is said."""
        if number is None:
            return None
        at = self.now() + number * TICK - MARGIN
        return at.replace(microsecond=at.microsecond // 1_000 * 1_000)

    def milliseconds(self, moment):
        return round(self.real(moment).timestamp() * 1_000)

    # -- consent ------------------------------------------------------------------------------

    @rule(client=some("client"), subject=SUBJECTS, held=HELD, number=NUMBERS, active=st.booleans())
    def create(self, client, subject, held, number, active):
        expires, now = self.end(number), self.now()
        members = {"clientIdentifier": client.client_id, **shown(held), "active": active}
        if subject is not None:
            members["subject"] = subject
        if expires is not None:
            members["expiresAt"] = self.milliseconds(expires)
        status, answer = self.door.store(
            client.service.name, "grants", members, details=held.details
        )
        assert status == 200, answer
        name = self.name("g")
        by = {"actor": self.api_token}
        ends = {"expires": expires, "active": active}
        grant = self.model.create(name, client, subject, held, now, **ends, **by)
        grant.grant_id = answer["grantId"]
        self.touch(grant)

    @having("grant")
    @rule(
        grant=some("grant"), held=HELD, number=NUMBERS, action=st.sampled_from(["merge", "replace"])
    )
    def change(self, grant, held, number, action):
        """Merge or replace, by the store."""
        expires, now = self.end(number), self.now()
        members = shown(held)
        if expires is not None:
            members["expiresAt"] = self.milliseconds(expires)
        path = f"grants/{grant.grant_id}/{action}"
        status, answer = self.door.store(grant.service.name, path, members, details=held.details)
        if grant.status(now) == "active":
            assert status == 200, answer
            by = {"actor": self.api_token}
            getattr(self.model, action)(grant, held, now, expires=expires, **by)
        else:
            assert (status, answer["resultCode"]) == (400, "A291201")
        self.touch(grant)

    @having("grant")
    @rule(
        grant=some("grant"),
        client=some("client"),
        subject=SUBJECTS,
        own=st.booleans(),
        action=st.sampled_from(["merge", "replace"]),
    )
    def begin(self, grant, client, subject, own, action):
        """An authorization request, by the functions of Python; the user is still to be asked."""
        if own:
            client, subject = grant.client, grant.subject
        grant = self.model.at(client.service, grant) or grant
        may = self.model.may_change(client, subject, grant, self.now())
        try:
            begun = lifecycle.begin(self.client_row(client), subject, action, grant.grant_id)
        except LifecycleError as error:
            assert (may, error.error) == (False, "invalid_grant_id")
        else:
            assert may
            self.consents.append(Consent(begun, client, subject, action, grant))

    @having("consent")
    @rule(consent=some("consent"), held=HELD, number=NUMBERS)
    def complete(self, consent, held, number):
        """The user has consented, whatever came between."""
        self.consents.remove(consent)
        expires, now, grant = self.end(number), self.now(), consent.grant
        may = self.model.may_change(consent.client, consent.subject, grant, now)
        end = None if expires is None else self.real(expires)
        try:
            lifecycle.complete(consent.begun, content(held), expires_at=end)
        except LifecycleError as error:
            assert (may, error.error) == (False, "invalid_grant_id")
        else:
            assert may
            getattr(self.model, consent.action)(grant, held, now, expires=expires)
        self.touch(grant)

    # -- tokens -------------------------------------------------------------------------------

    @having("grant")
    @rule(grant=some("grant"))
    def consent_code(self, grant):
        """A code, as a bridge keeps it: with the grant's access generation at the consent."""
        self.codes.append(Code(self.grant_row(grant), grant, grant.access))

    @having("code")
    @rule(code=some("code"))
    def redeem(self, code):
        self.codes.remove(code)
        grant, before = code.grant, self.now()
        client, subject = grant.client, grant.subject
        may = self.model.may_issue(client, subject, grant, before, consented=code.generation)
        order = Issue(scopes=f"{QUERY} read", refresh_token="", consented=code.generation)
        try:
            issued = lifecycle.issue(self.client_row(client), subject, code.row, order)
        except LifecycleError as error:
            assert (may, error.error) == (False, "invalid_grant")
        else:
            assert may
            self._issued(
                before,
                client,
                subject,
                grant,
                values=(issued.access_token, issued.refresh_token),
                scopes={QUERY, "read"},
            )
        self.touch(grant)

    @having("grant")
    @rule(
        grant=some("grant"),
        scopes=TOKEN_SCOPES,
        as_property=st.booleans(),
        bound=st.sampled_from(["", "", "key", "certificate"]),
        durations=st.tuples(NUMBERS, NUMBERS),
    )
    def issue(self, grant, scopes, as_property, bound, durations):
        """For whom the grant is, by the store."""
        kind = "AUTHORIZATION_CODE" if grant.subject else CREDENTIALS
        named = {"grantId": grant.grant_id}
        if as_property:
            named = {"properties": [{"key": "grant_id", "value": grant.grant_id}]}
        who = grant.client, grant.subject
        self._create_tokens(*who, grant, kind, scopes, named, bound, durations)

    @rarely
    @having("grant")
    @rule(grant=some("grant"), client=some("client"), subject=SUBJECTS)
    def issue_to_another(self, grant, client, subject):
        """Only what happens to be its own works."""
        kind = "AUTHORIZATION_CODE" if subject else CREDENTIALS
        named = {"grantId": grant.grant_id}
        self._create_tokens(client, subject, grant, kind, {QUERY}, named, "", (None, None))

    @rule(
        client=some("client"),
        subject=SUBJECTS,
        scopes=TOKEN_SCOPES,
        bound=st.sampled_from(["", "", "key", "certificate"]),
    )
    def issue_without_grant(self, client, subject, scopes, bound):
        kind = "AUTHORIZATION_CODE" if subject else CREDENTIALS
        self._create_tokens(client, subject, None, kind, scopes, {}, bound, (None, None))

    def _create_tokens(self, client, subject, grant, kind, scopes, named, bound, durations):
        before = self.now()
        seconds = [0 if one is None else (one * TICK - MARGIN).total_seconds() for one in durations]
        members = {
            "grantType": kind,
            "clientIdentifier": client.client_id,
            "scopes": sorted(scopes),
            "accessTokenDuration": int(seconds[0]),
            "refreshTokenDuration": int(seconds[1]),
            **({"subject": subject} if subject else {}),
            **named,
            **({"dpopKeyThumbprint": self.door.key.jkt} if bound == "key" else {}),
            **({"certificateThumbprint": self.door.x5t} if bound == "certificate" else {}),
        }
        status, answer = self.door.store(client.service.name, "auth/token/create", members)
        assert status == 200, answer
        known = grant and self.model.at(client.service, grant)
        foreign, grant = known is None and grant is not None, known
        if foreign or not self.model.may_issue(client, subject, grant, before):
            assert answer["action"] == ("BAD_REQUEST" if foreign else "FORBIDDEN"), answer
            self.touch(grant)
            return
        assert answer["action"] == "OK", answer
        assert answer["tokenType"] == ("DPoP" if bound == "key" else "Bearer")
        assert answer.get("grantId") == (grant.grant_id if grant else None)
        lasts = [one and one * TICK - MARGIN for one in durations]
        values = answer["accessToken"], answer.get("refreshToken")
        assert (values[1] is None) == (kind == CREDENTIALS)
        made = self._issued(
            before,
            client,
            subject,
            grant,
            values=values,
            scopes=scopes,
            bound=bound,
            access=lasts[0],
            refresh=lasts[1],
        )
        self._check_end(made[0], answer["expiresAt"])
        self.touch(grant, *made)

    def _issued(self, before, client, subject, grant, *, values, scopes, **order):
        access, refresh = order.pop("access", None), order.pop("refresh", None)
        lasts = {
            "access": access or ACCESS_LASTS,
            "refresh": (refresh or REFRESH_LASTS) if values[1] else None,
        }
        name = self.name("t")
        made = self.model.issue(
            name, client, subject, grant, before, scopes=scopes, **lasts, **order
        )
        return self._valued(made, values, before)

    def _valued(self, made, values, before):
        for token, value in zip(made, values, strict=False):
            token.value, token.slack = value, self.now() - before
        return made

    def _check_end(self, token, told):
        """In the answer that brought it: never later than its grant's."""
        earliest, latest = self.window(token)
        assert self.milliseconds(earliest) - 1 <= told <= self.milliseconds(latest) + 1

    def window(self, token):
        """When it ends, at the earliest and at the latest: it was issued while we looked."""
        ends = [token.end()]
        if token.expires is not None:
            late = token.expires + token.slack
            of_grant = token.grant.expires if token.grant else None
            ends.append(late if of_grant is None else min(late, of_grant))
        return ends[0], ends[-1]

    @having("refreshable")
    @rule(token=some("refreshable"), scopes=ASKED)
    def refresh(self, token, scopes):
        self._refresh(token, set(scopes))

    @having(REFRESH)
    @rule(token=some(REFRESH), scopes=ASKED)
    def refresh_whatever(self, token, scopes):
        """Dead or alive."""
        self._refresh(token, set(scopes))

    @having("rotated")
    @rule(token=some("rotated"))
    def reuse(self, token):
        self._refresh(token, set())

    def _refresh(self, token, scopes):
        before = self.now()
        status, answer = self.door.refresh(token, token.client.client_id, scopes)
        made = self.model.refresh(
            token,
            self.name("t"),
            scopes,
            before,
            access=ACCESS_LASTS,
            refresh=REFRESH_LASTS,
        )
        self.touch(token.grant, token)
        if isinstance(made, str):
            code = {"invalid_grant": "A291301", "invalid_scope": "A291303"}[made]
            assert (status, answer["resultCode"]) == (400, code), answer
            return
        assert (status, answer["action"]) == (200, "OK"), answer
        self._valued(made, (answer["accessToken"], answer["refreshToken"]), before)
        assert set(answer["scopes"]) == made[0].scopes
        self._check_end(made[0], answer["expiresAt"])
        self.touch(*made)

    @rarely
    @having(REFRESH)
    @rule(token=some(REFRESH), client=some("client"))
    def refresh_by_another(self, token, client):
        """Another client of its service: refused, and nothing comes of it."""
        others = [one for one in self.model.clients if one.service is token.service]
        other = next(one for one in others if one is not token.client)
        status, answer = self.door.refresh(token, other.client_id, set())
        assert (status, answer["resultCode"]) == (400, "A291301"), answer
        self.touch(token.grant, token)

    # -- the ways to revoke a grant -----------------------------------------------------------

    @having(ACCESS, "grant")
    @rule(token=some(ACCESS), grant=some("grant"), own=st.booleans(), at_endpoint=st.booleans())
    def revoke_by_token(self, token, grant, own, at_endpoint):
        """REVOKE, or DELETE at the draft's own endpoint."""
        named = token.grant if own and token.grant is not None else grant
        now, grant = self.now(), self.model.at(token.service, named)
        code = self.model.judged(token, "REVOKE", grant, now)
        if at_endpoint:
            status, _body = self.door.endpoint("DELETE", token, named.grant_id)
            assert status == http_status(code, 204)
        else:
            _status, answer = self.door.gm("REVOKE", token, named.grant_id)
            assert answer["resultCode"] == code, answer
            assert (answer["action"] == "NO_CONTENT") == (code == "A277001")
        if code == "A277001":
            by = ("client", token.client.client_id)
            self.model.revoke(grant, now, by, "requested by client")
        self.touch(grant, token)

    @having("grant")
    @rule(grant=some("grant"), by=st.sampled_from(["store", "admin"]))
    def revoke(self, grant, by):
        now = self.now()
        if by == "admin":
            self.door.press("grant", "revoke", self.grant_row(grant))
            self.model.revoke(grant, now, self.operator, "regulator")
        else:
            path = f"grants/{grant.grant_id}/revoke"
            status, answer = self.door.store(grant.service.name, path, {"reason": "fraud"})
            assert (status, answer["status"]) == (200, "revoked"), answer
            self.model.revoke(grant, now, self.api_token, "fraud")
        self.touch(grant)

    @property
    def operator(self):
        return ("operator", doors.OPERATOR)

    @rarely
    @rule(
        service=some("service"),
        client=st.sampled_from([None, None, *CLIENTS]),
        subject=st.sampled_from([None, "user-1"]),
        inside=st.sampled_from([None, None, "scope", "type"]),
        before=st.one_of(st.none(), st.integers(0, 99)),
        by=st.sampled_from(["command", "admin"]),
    )
    def sweep(self, service, client, subject, inside, before, by):
        """By whatever filter; some of them are cut-offs."""
        wanted = {"subject": subject, "scope": None, "type": None, "before": None}
        wanted[inside] = {"scope": "read", "type": "pay"}.get(inside)
        wanted.pop(None, None)
        if before is not None and self.moments:
            wanted["before"] = self.moments[before % len(self.moments)]
        wanted["client"] = client and self.client(service, client)
        wanted = {name: one for name, one in wanted.items() if one is not None}
        if not wanted:
            return
        said = {"client": client, "subject": subject, **filter_text(wanted, self.real)}
        said = {name: one for name, one in said.items() if one is not None}
        now, actor = self.now(), {"command": ("command", "revoke_grants"), "admin": self.operator}
        if by == "command":
            options = [f"--{name.replace('_', '-')}={one}" for name, one in said.items()]
            number = self.door.numbers[service.name]
            answer = self.door.command(
                "revoke_grants", f"--service={number}", "--reason=regulator", *options
            )
            found = self.model.sweep(service, wanted, now, actor[by], "regulator")
            assert answer["revoked"] == found
        else:
            self.door.sweep({"service": self.door.numbers[service.name], **said})
            self.model.sweep(service, wanted, now, actor[by], "regulator")
        self.touch(*(one for one in self.model.grants if one.service is service))

    def client(self, service, client_id):
        return next(
            one
            for one in self.model.clients
            if one.service is service and one.client_id == client_id
        )

    # -- the ways to revoke tokens ------------------------------------------------------------

    @rarely
    @having(ACCESS)
    @rule(
        token=st.one_of(some(ACCESS), some(ACCESS)),
        form=st.sampled_from(["value", "hex"]),
    )
    def revoke_access_token(self, token, form):
        """`auth/token/revoke`, of an access token."""
        tokens = [] if token.is_gone else [token]
        self._revoke_tokens(
            token.service, {"accessTokenIdentifier": identifier(token, form)}, tokens
        )

    @rarely
    @having(REFRESH)
    @rule(token=some(REFRESH), form=st.sampled_from(["value", "hex"]))
    def revoke_refresh_token(self, token, form):
        """With all that came of it, for the client may have been refreshing."""
        tokens = [] if token.is_gone else self.model.relatives(token)
        members = {"refreshTokenIdentifier": identifier(token, form)}
        self._revoke_tokens(token.service, members, tokens)

    @rarely
    @rule(service=some("service"), client=st.sampled_from([None, *CLIENTS]), subject=SUBJECTS)
    def revoke_tokens_of(self, service, client, subject):
        """Of a client, of a subject, or of both."""
        if client is None and subject is None:
            return
        tokens = [
            one
            for one in self.model.tokens
            if one.service is service
            and client in (None, one.client.client_id)
            and subject in (None, one.subject)
        ]
        members = {"clientIdentifier": client, "subject": subject}
        given = {name: one for name, one in members.items() if one is not None}
        about = {"client": client or "", "subject": subject}
        self._revoke_tokens(service, given, tokens, **about)

    def _revoke_tokens(self, service, members, tokens, **about):
        now = self.now()
        status, answer = self.door.store(service.name, "auth/token/revoke", members)
        count = self.model.revoke_tokens(service, tokens, now, self.api_token, **about)
        assert (status, answer["count"]) == (200, count)
        self.touch(*tokens, *{one.grant for one in tokens})

    @rarely
    @rule(token=st.one_of(some(ACCESS), some(REFRESH)), hint=st.sampled_from(["", REFRESH, "x"]))
    @having(ACCESS, REFRESH)
    def revoke_by_standard(self, token, hint):
        """RFC 7009."""
        now = self.now()
        status, answer = self.door.form(
            token.service.name, "revoke", token=token.value, token_type_hint=hint
        )
        assert (status, answer) == (200, {})
        if not token.is_gone:
            tokens = self.model.relatives(token) if token.kind == REFRESH else [token]
            about = {"client": token.client.client_id, "subject": token.subject}
            about["grant"] = token.grant
            self.model.revoke_tokens(token.service, tokens, now, self.api_token, **about)
        self.touch(token.grant, token)

    # -- services and clients -----------------------------------------------------------------

    @rarely
    @rule(client=some("client"), whole=st.booleans(), by=st.sampled_from(["command", "admin"]))
    def cut_off(self, client, whole, by):
        now, target = self.now(), client.service if whole else client
        number = self.door.numbers[client.service.name]
        if by == "command":
            which = [] if whole else [f"--client={client.client_id}"]
            self.door.command("set_cut_off", f"--service={number}", *which)
            self.model.move_cut_off(target, now, ("command", "set_cut_off"))
        else:
            row = self.client_row(client)
            kind, row = ("service", row.service) if whole else ("client", row)
            self.door.press(kind, "cut-off", row)
            self.model.move_cut_off(target, now, self.operator, reason="regulator")

    @rarely
    @rule(client=some("client"), locked=st.booleans(), by=st.sampled_from(ACTORS))
    def lock(self, client, locked, by):
        verb, actor, reason = ("lock" if locked else "unlock"), self.operator, "regulator"
        if by == "store":
            members = {"clientIdentifier": client.client_id, "locked": locked}
            _status, answer = self.door.store(client.service.name, "clients", members)
            assert answer["locked"] is locked
            actor, reason = self.api_token, "requested through the API"
        elif by == "command":
            which = [f"--service={self.door.numbers[client.service.name]}"]
            self.door.command(f"{verb}_client", *which, f"--client={client.client_id}")
            actor, reason = ("command", f"{verb}_client"), ""
        else:
            self.door.press("client", verb, self.client_row(client))
        self.model.set_lock(client, locked, actor, reason)

    @rarely
    @rule(
        service=some("service"),
        ownership=st.sampled_from([CLIENT_AND_SUBJECT, CLIENT]),
        revoke_access_tokens=st.booleans(),
    )
    def change_settings(self, service, ownership, revoke_access_tokens):
        """By an operator: what was decided before stays decided."""
        settings = {"ownership": ownership, "revoke_access_tokens": revoke_access_tokens}
        self.door.change_settings(service.name, **settings)
        if settings != {name: getattr(service, name) for name in settings}:
            for name, value in settings.items():
                setattr(service, name, value)
            self.model.record(service, "settings_changed", self.operator, reason="other")

    # -- time ---------------------------------------------------------------------------------

    @rarely
    @rule(number=st.sampled_from([1, 1, 1, 2, 2, 3, 60]))
    def wait(self, number):
        """Half days pass."""
        doors.shift(number * TICK)
        self.shifted += number * TICK

    @rarely
    @rule()
    def purge(self):
        now = self.now()
        self.door.command("purge_expired")
        self.model.purge(now)

    # -- import and export --------------------------------------------------------------------

    @rule(
        client=some("client"),
        subject=SUBJECTS,
        held=HELD,
        kind=st.sampled_from(["active", "pending", "revoked", "expired", "ending"]),
        generations=st.sampled_from([None, (0, 1), (2, 3)]),
    )
    def import_grant(self, client, subject, held, kind, generations):
        """A grant of another authorization server."""
        at, name = self.whole_seconds(), self.name("i")
        grant = model.Grant(name, client, subject, held, at - 6 * HOUR, pending=kind == "pending")
        grant.grant_id = f"imported-{name}"
        members = {"created_at": self.seconds(grant.created), **shown(held)}
        if kind == "revoked":
            grant.revoked, grant.died, grant.access, grant.refresh = True, at - HOUR, 1, 1
            members["revoked_at"] = self.seconds(grant.died)
        if kind in ("expired", "ending"):
            grant.expires = at - HOUR if kind == "expired" else at + TICK - MARGIN
            members["expires_at"] = self.seconds(grant.expires)
        if kind == "pending":
            members["pending"] = True
        if generations is not None:
            grant.access, grant.refresh = generations
            members |= {"access_generation": grant.access, "refresh_generation": grant.refresh}
        self._import(client, self.grant_record(grant, members))
        self.model.grants.append(grant)
        self.touch(grant)

    @having("grant")
    @rule(
        grant=some("grant"),
        kind=st.sampled_from([ACCESS, REFRESH]),
        state=st.sampled_from(["", "", "revoked", "rotated"]),
        behind=st.sampled_from([0, 0, 1]),
        number=NUMBERS,
        bound=st.sampled_from(["", "key"]),
    )
    def import_token(self, grant, kind, state, behind, number, bound):
        """A token of a grant; without an end where none is said."""
        at, value = self.whole_seconds(), uuid.uuid4().hex
        generation = max((grant.access if kind == ACCESS else grant.refresh) - behind, 0)
        token = model.Token(
            self.name("t"),
            kind,
            grant.client,
            grant,
            grant.subject,
            frozenset({QUERY, REVOKE}),
            at - HOUR,
            None if number is None else at + number * TICK - MARGIN,
            generation,
            bound=bound,
            value=value,
        )
        token.family = token.name
        members = {
            "scopes": sorted(token.scopes),
            "issued_at": self.seconds(token.issued),
            "generation": generation,
        }
        if number is not None:
            members["expires_at"] = self.seconds(token.expires)
        if bound:
            members["cnf"] = {"jkt": self.door.key.jkt}
        if state:
            token.revoked = at - HOUR
            members["revoked_at"] = self.seconds(token.revoked)
        if state == "rotated" and kind == REFRESH:
            token.rotated = True
            members["rotated_at"] = members["revoked_at"]
        self._import(grant.client, self.token_record(token, members))
        self.model.tokens.append(token)
        self.touch(grant, token)

    @rarely
    @having("grant")
    @rule(grant=some("grant"), kind=st.sampled_from([ACCESS, REFRESH]))
    def import_token_of_the_future(self, grant, kind):
        """Of a generation that its grant has not reached: it would come to life one day."""
        generation = grant.access if kind == ACCESS else grant.refresh
        record = {
            "type": kind,
            "service": self.door.numbers[grant.service.name],
            "client_id": grant.client.client_id,
            "grant_id": grant.grant_id,
            "token": uuid.uuid4().hex,
            "generation": generation + 1,
        }
        said = self.door.refused_import([json.dumps(record)], self.folder / "future.jsonl")
        assert "'generation'" in said

    @having("grant")
    @rule(
        grant=some("grant"),
        change=st.sampled_from(["nothing", "revoked", "ending", "held", "claimed", "raised"]),
        held=HELD,
    )
    def import_known_grant(self, grant, change, held):
        """A record of a grant that is there: it is updated, and stays as dead as it is."""
        at, now = self.whole_seconds(), self.now()
        given = model.Grant(grant.name, grant.client, grant.subject, Held(), grant.created)
        given.pending = grant.pending
        members = {}
        if change == "revoked":
            given.revoked, given.died = True, at - HOUR
            members["revoked_at"] = self.seconds(given.died)
        if change == "ending":
            given.expires = at + 2 * TICK - MARGIN
            members["expires_at"] = self.seconds(given.expires)
        if change == "held":
            given.held = held
            members |= {name: one for name, one in shown(held).items() if one}
        if change == "claimed":
            given.pending, members["pending"] = False, False
        if change == "raised":
            given.refresh = grant.refresh + 1
            members["refresh_generation"] = given.refresh
        record = self.grant_record(given, members, grant_id=grant.grant_id)
        self._import(grant.client, record)
        records.take_grant(self.model, grant, given, None, now)
        self.touch(grant)

    @rarely
    @rule()
    def back_up(self):
        """An export, to be imported later."""
        lines = self.door.exported(self.folder / "backup.jsonl")
        self.backups.append(
            Backup(self.name("backup "), lines, self.model.snapshot(), self.shifted)
        )

    @rarely
    @having("backup")
    @rule(backup=some("backup"))
    def import_backup(self, backup):
        """Over what is there now."""
        lines = [moved(line, self.shifted - backup.shifted) for line in backup.lines]
        now = self.now()
        self.door.imported(lines, self.folder / "again.jsonl")
        whole = backup.whole.snapshot()
        records.take(self.model, whole, now, ("command", "import_grants"))
        self.touch(*self.model.grants)

    @rarely
    @rule()
    def move_elsewhere(self):
        """Exported, and imported into an empty database: everything answers as before."""
        self.folder.joinpath("all.jsonl").unlink(missing_ok=True)
        lines = self.door.exported(self.folder / "all.jsonl")
        doors.wipe()
        self.known_events.clear()
        assert not self.model.events
        self.door.imported(lines, self.folder / "all.jsonl")
        for service in self.model.services:
            self.model.record(service, "imported", ("command", "import_grants"))
        self.touch(*self.model.grants, *self.model.tokens)

    @rarely
    @precondition(lambda self: len(self.model.services) == 2 and self.model.tokens)
    @rule(service=some("service"))
    def copy_to_another_service(self, service):
        """An export of one service, imported as another one beside it: the same IDs and values."""
        number, new = self.door.numbers[service.name], 4711
        file = self.folder / "one.jsonl"
        self.door.command("export_grants", f"--service={number}", "--output", file)
        lines = [renumbered(line, number, new) for line in file.read_text().splitlines()]
        now = self.now()
        self.door.imported([line for line in lines if line], self.folder / "other.jsonl")
        whole = self.model.snapshot()
        whole.services = [one for one in whole.services if one.name == service.name]
        for kind in ("clients", "grants", "tokens"):
            ours = [one for one in getattr(whole, kind) if one.service.name == service.name]
            setattr(whole, kind, ours)
        self.door.numbers["C"] = new
        whole = records.copied(whole, {service.name: "C"})
        records.take(self.model, whole, now, ("command", "import_grants"))
        self.touch(*self.model.grants)

    def _import(self, client, record):
        self.door.imported([json.dumps(record)], self.folder / "records.jsonl")
        self.model.record(client.service, "imported", ("command", "import_grants"))

    def grant_record(self, grant, members, *, grant_id=None):
        about = {"type": "grant", "grant_id": grant_id or grant.grant_id, "subject": grant.subject}
        return {**about, **self._whose(grant.client), **members} | held_details(grant.held)

    def token_record(self, token, members):
        about = {"type": token.kind, "grant_id": token.grant.grant_id, "subject": token.subject}
        return {**about, "token": token.value, **self._whose(token.client), **members}

    def _whose(self, client):
        number = self.door.numbers[client.service.name]
        return {"service": number, "client_id": client.client_id}

    def whole_seconds(self):
        return self.now().replace(microsecond=0)

    def seconds(self, moment):
        return int(self.real(moment).timestamp())

    # -- everything agrees --------------------------------------------------------------------

    @invariant()
    def agrees(self):
        """All grants and tokens by the cheaper doors; what was touched by every door."""
        self.turn += 1
        self._check_events()
        self._check_grants()
        for token in self.model.tokens:
            self._check_introspection(token)
        self._check_foreign()
        touched, self.touched = list(dict.fromkeys(self.touched)), []
        self._check_closely(touched, pages=1)
        self._check_nothing_came_back()
        self.moments.append(self.now())

    def teardown(self):
        if self.model.services:
            self._check_closely([*self.model.grants, *self.model.tokens])

    def _check_nothing_came_back(self):
        now = self.now()
        for token in self.model.tokens:
            alive = not token.is_gone and token.state(now) in (
                model.State.ACTIVE,
                model.State.LOCKED,
            )
            assert not (alive and token in self.dead), f"{token} came back to life"
            if not alive:
                self.dead.add(token)

    def _check_events(self):
        rows = self.door.events(self.known_events)
        self.known_events |= {row.pk for row in rows}
        names = {number: name for name, number in self.door.numbers.items()}
        grants = {(one.service.name, one.grant_id): one.name for one in self.model.grants}
        found = Counter(
            Event(
                names[row.service_id],
                row.kind,
                (row.actor_kind, row.actor),
                grants[names[row.service_id], row.grant_id] if row.grant_id else "",
                row.client_id,
                row.subject,
                row.reason,
                row.job is not None,
            )
            for row in rows
        )
        expected, self.model.events = Counter(self.model.events), []
        assert found == expected, f"too many: {found - expected}; missing: {expected - found}"
        for row in rows:
            assert bool(row.actor_id) == (row.actor_kind != "client")

    def _check_grants(self):
        """`grants/list`, of each client."""
        now = self.now()
        for client in self.model.clients:
            members = {"clientIdentifier": client.client_id, "limit": 1_000}
            _status, answer = self.door.store(client.service.name, "grants/list", members)
            found = {one["grantId"]: one for one in answer["grants"]}
            expected = {
                one.grant_id: one
                for one in self.model.grants
                if one.client is client and not one.is_gone
            }
            assert found.keys() == expected.keys()
            for grant_id, grant in expected.items():
                self._check_shown(found[grant_id], grant, now)

    def _check_shown(self, answer, grant, now):
        assert answer["status"] == grant.status(now), grant
        assert answer.get("subject") == grant.subject
        held = grant.held
        assert answer.get("scopes", []) == held.scopes(), grant
        assert answer.get("claims", []) == sorted(held.claims), grant
        details = [json.loads(one) for one in held.details]
        assert answer.get("authorizationDetails", []) == details, grant
        end = None if grant.expires is None else self.milliseconds(grant.expires)
        assert answer.get("expiresAt") == end, grant

    def _check_introspection(self, token):
        """RFC 7662: both kinds of tokens."""
        now = self.now()
        status, answer = self.door.form(token.service.name, "introspect", token=token.value)
        assert status == 200
        if token.is_gone or not token.is_active(now):
            assert answer == {"active": False}, (token, answer)
            return
        assert answer["active"] is True, (token, token.state(now))
        assert set(answer["scope"].split()) == token.scopes
        assert answer["client_id"] == token.client.client_id
        assert answer.get("sub") == token.subject
        assert answer.get("grant_id") == (token.grant.grant_id if token.grant else None)
        if token.end() is None:
            assert "exp" not in answer
        else:
            earliest, latest = (int(self.real(one).timestamp()) for one in self.window(token))
            assert earliest <= answer["exp"] <= latest, token

    def _check_foreign(self):
        """A few access tokens, at grants that mostly are not theirs."""
        tokens, grants = (
            [one for one in self.model.tokens if one.kind == ACCESS],
            [one for one in self.model.grants if not one.is_gone],
        )
        for number in range(min(len(tokens), 3) if grants else 0):
            token = tokens[(self.turn * 3 + number) % len(tokens)]
            self._check_query(token, grants[(self.turn * 5 + number * 7) % len(grants)])

    def _check_query(self, token, named, *, proven=True):
        now, grant = self.now(), self.model.at(token.service, named)
        code = self.model.judged(token, "QUERY", grant, now, proven=proven)
        _status, answer = self.door.gm("QUERY", token, named.grant_id, proven=proven)
        assert answer["resultCode"] == code, (token, grant, answer)
        if code == "A277001":
            assert answer["responseContent"] == grant.held.shown()
        return code

    def _check_closely(self, things, *, pages=None):
        """By every door: these grants and their tokens, and tokens of none; so many `pages` of the
        admin, which take as long as all the rest.
        """
        grants = {one if isinstance(one, model.Grant) else one.grant for one in things} - {None}
        there = sorted((one for one in grants if not one.is_gone), key=str)
        for grant in there:
            self._check_grant(grant)
        for grant in there[:pages]:
            self._check_page(grant)
        for token in things:
            if isinstance(token, model.Token) and token.kind == ACCESS and token.grant is None:
                self._check_authlete(token)

    def _check_grant(self, grant):
        now, path = self.now(), f"grants/{grant.grant_id}/get"
        tokens = [one for one in self.model.tokens if one.grant is grant and not one.is_gone]
        _status, answer = self.door.store(grant.service.name, path)
        self._check_shown(answer, grant, now)
        self._check_may_merge(grant)
        for token in tokens:
            if token.kind == ACCESS:
                self._check_authlete(token)
                code = self._check_query(token, grant)
                status, body = self.door.endpoint("GET", token, grant.grant_id)
                assert status == http_status(code, 200)
                assert status != 200 or body == grant.held.shown()
                if token.bound:
                    self._check_query(token, grant, proven=False)

    def _check_may_merge(self, grant):
        who = {"clientIdentifier": grant.client.client_id}
        if grant.subject:
            who["subject"] = grant.subject
        members = who | {"grantManagementAction": "merge", "grantId": grant.grant_id}
        _status, answer = self.door.store(grant.service.name, "grants/check", members)
        may = self.model.may_change(grant.client, grant.subject, grant, self.now())
        assert answer.get("error") == (None if may else "invalid_grant_id")

    def _check_authlete(self, token):
        """`auth/introspection`, without what binds the token: what it is worth is told all the same."""
        now = self.now()
        _status, answer = self.door.store(
            token.service.name, "auth/introspection", {"token": token.value}
        )
        usable = not token.is_gone and token.is_active(now)
        assert answer["existent"] is not token.is_gone
        assert answer["usable"] is usable, token
        fine = usable and not token.bound
        assert (answer["action"] == "OK") == fine
        if token.is_gone:
            return
        earliest, latest = self.window(token)
        if earliest is None:
            assert "expiresAt" not in answer
        else:
            told = answer["expiresAt"]
            assert self.milliseconds(earliest) - 1 <= told <= self.milliseconds(latest) + 1
        if token.grant is not None:
            assert answer["refreshable"] is self.model.refreshable(token.grant, now), token

    def _check_page(self, grant):
        """What an operator sees; at most twenty tokens of a kind."""
        tokens = [one for one in self.model.tokens if one.grant is grant and not one.is_gone]
        now = self.now()
        status, shown_tokens = self.door.page(grant)
        assert status == grant.status(now).replace("_", "-")
        states = {
            sha256(one.value).hex()[:8]: one.state(now).value.replace("_", "-") for one in tokens
        }
        assert shown_tokens.items() <= states.items(), grant
        assert len(shown_tokens) == len(states) or len(states) > 20


HOUR = timedelta(hours=1)


class Kept(model.Named):
    """What rules keep for each other."""

    def __repr__(self):
        return self.name


class Consent(Kept):
    def __init__(self, begun, client, subject, action, grant):
        self.begun, self.client, self.subject = begun, client, subject
        self.action, self.grant = action, grant
        self.name = f"<{action} of {grant}>"


class Code(Kept):
    def __init__(self, row, grant, generation):
        self.row, self.grant, self.generation = row, grant, generation
        self.name = f"<code of {grant}>"


class Backup(Kept):
    def __init__(self, name, lines, whole, shifted):
        self.name, self.lines, self.whole, self.shifted = f"<{name}>", lines, whole, shifted


def shown(held):
    """Members of a request; details go as texts."""
    return {"scopes": held.scopes(), "claims": sorted(held.claims)}


def held_details(held):
    details = [json.loads(one) for one in held.details]
    return {"authorization_details": details} if details else {}


def content(held):
    details = strict_json.loads(f"[{','.join(held.details)}]", keep_numbers=True)
    return Content.read(held.scopes(), sorted(held.claims), details)


def http_status(code, done):
    if code == "A277001":
        return done
    return {"A283301": 404, "A282301": 403, "A284301": 403, "A284302": 403}.get(code, 401)


def identifier(token, form):
    return token.value if form == "value" else sha256(token.value).hex()


def filter_text(wanted, real):
    """A filter as it is typed."""
    before = wanted.get("before")
    return {
        "scope": wanted.get("scope"),
        "authorization_type": wanted.get("type"),
        "created_before": before and f"{real(before):%Y-%m-%d %H:%M:%S.%f}",
    }


_STAMP = re.compile(
    r'"(created_at|issued_at|expires_at|revoked_at|rotated_at|last_updated_at|locked_at|not_before)"'
    r":([0-9.]+)"
)


def moved(line, by):
    """A record whose stamps are so much longer ago."""
    seconds = Decimal(int(by.total_seconds()))
    return _STAMP.sub(lambda one: f'"{one[1]}":{Decimal(one[2]) - seconds}', line)


def renumbered(line, old, new):
    """A record of another service; "": none."""
    record = json.loads(line)
    if record["type"] in ("organization", "api_token", "end"):
        return ""
    if record["type"] == "service":
        return line.replace(f'"id":{old}', f'"id":{new}').replace(
            '"name":', '"realm":"","name":', 1
        )
    line = re.sub(r'"id":[0-9]+,', "", line) if record["type"] == "client" else line
    return line.replace(f'"service":{old}', f'"service":{new}')
