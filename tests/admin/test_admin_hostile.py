"""Whatever is put into an address or a form of the admin: an answer, and never a 500."""

import json
import uuid

import pytest
from django.contrib.admin import site
from django.urls import reverse
from django.urls.resolvers import RegexPattern

from grant_management.admin import sweep as sweep_pages
from grant_management.db import keyset
from grant_management.models import ApiToken, Grant, OrganizationMember, Service, Sweep

from ..exports import drop
from ..ours import connection
from ..test_roles import fill
from ..world import now

LONG = "9" * 5_000
VALUES = [
    "a\x00b",
    LONG,
    str(2**63),
    "-1",
    "'\"><script>%",
    "\ud7ff\uffff\U0010ffff",
    "9999-12-31T23:59:59-23:59",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
]
ODD = [
    "",
    "9" * 100,
    str(2**63 - 1),
    "1e400",
    "x" * 3_000,
    "[" * 2_000,
    "null",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+23:59",
    "../../etc/passwd",
    "_00",
]
EXTREMES = ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"]
CURSORS = [
    *VALUES,
    *ODD,
    "[" * 100_000,
    '["' + "[" * 50_000 + '"]',
    f"[{LONG},{LONG}]",
    json.dumps([1, 2]),
    json.dumps([None, None]),
    json.dumps([["a"], {"b": 1}]),
    '["\\u0000","\\u0000"]',
    '["\\ud800","\\udfff"]',
    '{"a":1}',
    *(json.dumps([at, str(uuid.UUID(int=0))]) for at in EXTREMES),
    *(json.dumps([at, "x"]) for at in EXTREMES),
    json.dumps(["0001-01-01T00:00:00+23:59", str(uuid.UUID(int=0))]),
    json.dumps(["9999-12-31T23:59:59-23:59", str(uuid.UUID(int=0))]),
    json.dumps(["2026-01-31T00:00:00", str(uuid.UUID(int=0))]),
    json.dumps(["2026-01-31", "9" * 32]),
    json.dumps([LONG, LONG]),
    json.dumps([LONG]),
    json.dumps(["a\x00b"]),
    json.dumps([str(uuid.UUID(int=2**128 - 1))]),
    json.dumps(["app-1", LONG]),
    json.dumps(["app-1", str(2**63)]),
    json.dumps(["app-1", "-5"]),
    json.dumps(["app-1", "\u0661"]),
]
LISTS = [
    "organization", "service", "client", "apitoken", "grant", "accesstoken", "refreshtoken",
    "dpopnonce", "grantevent", "call", "sweep", "organizationmember", "dailycount",
]  # fmt: skip
STOCK = ["organization", "service", "apitoken", "organizationmember"]


@pytest.fixture
def rows(world, admin_user):
    made = fill(world)
    made["organizationmember"] = OrganizationMember.objects.create(
        user=admin_user, organization=world.service.organization
    )
    return made


@pytest.fixture
def get(client, admin_user):
    """A page, whose failure would fail the test by its own exception."""
    OrganizationMember.objects.filter(user=admin_user).delete()
    client.force_login(admin_user)

    def ask(url, query=None, data=None):
        answer = client.get(url, query) if data is None else client.post(url, data)
        assert answer.status_code < 500, (url, query, data)
        drop(answer)
        return answer

    return ask


@pytest.fixture
def some(request):
    """An eighth of the values, another one for each place; with `--slow` all."""
    step = 1 if request.config.getoption("--slow") else 8
    return lambda values, place: values[place % step :: step]


@pytest.fixture(autouse=True)
def in_hand(monkeypatch):
    monkeypatch.setattr(sweep_pages, "work_in_background", lambda sweep: None)


def listing(name):
    return reverse(f"admin:grant_management_{name}_changelist")


@pytest.mark.parametrize("name", LISTS)
def test_parameters_of_lists(get, rows, some, name):
    """Every filter of ours and of Django's."""
    form = getattr(site._registry[type(rows.get(name, rows["grant"]))], "list_form", None)
    names = {"q", "o", "p", "all", "e", "_popup", "_to_field", "_facets", "service", "timeline"}
    names = {"service"} if name == "dailycount" else names | set(form.base_fields if form else [])
    for place, parameter in enumerate(sorted(names), LISTS.index(name)):
        for value in some(VALUES, place):
            get(listing(name), {parameter: value})


@pytest.mark.parametrize("name", [name for name in LISTS if name not in (*STOCK, "dailycount")])
@pytest.mark.parametrize("parameter", ["after", "before"])
def test_cursors(get, rows, some, name, parameter):
    for value in some(CURSORS, LISTS.index(name) + len(parameter)):
        get(listing(name), {parameter: value})


@pytest.mark.parametrize("name", STOCK)
def test_no_column_is_compared_by_an_address(get, rows, name):
    """A digest could be found by halving; others would be compared with what they cannot hold."""
    columns = [field.name for field in type(rows[name])._meta.fields]
    for column in [*columns, "nothing", "pk", "service__digest", "organization__name"]:
        for lookup in ("", "__gt", "__in", "__isnull"):
            assert get(listing(name), {f"{column}{lookup}": "a\x00"}).status_code == 400


def test_a_digest_is_not_found_by_comparing(get, rows):
    """The list would have told, by being empty or not, digit after digit."""
    assert get(listing("apitoken"), {"digest__gt": "a"}).status_code == 400
    assert get(listing("apitoken"), {"digest__gte": ""}).status_code == 400


def addresses(value):
    """Every page of ours that is about a row, with this in the place of its key."""
    for part in site.get_urls():
        for pattern in getattr(part, "url_patterns", []):
            if not (pattern.name or "").startswith("grant_management_"):
                continue
            assert not isinstance(pattern.pattern, RegexPattern)
            converters = pattern.pattern.converters
            if set(converters) == {"object_id"}:
                yield reverse(f"admin:{pattern.name}", args=[value or "x"])


def test_keys_of_rows(get, rows, some):
    number = known = 0
    for place, value in enumerate((*VALUES, "_00", "../../etc/passwd")):
        urls = list(addresses(value))
        known += len(urls)
        for url in some(urls, place):
            assert get(url, data={} if number % 3 else None).status_code in (302, 403, 404), url
            number += 1
    assert known > 400


def test_service_numbers(get, rows):
    suggest = reverse("admin:grant_management_client_suggest")
    for value in (*VALUES, *ODD):
        get(listing("dailycount"), {"service": value})
        get(suggest, data={"service": value, "q": "a"})
        get(suggest, data={"q": value})
        get(reverse("admin:grant_management_sweep_start"), {"service": value, "client": value})


def test_timelines(get, rows, some):
    page = reverse("admin:grant_management_grant_change", args=[rows["grant"].pk])
    more = [json.dumps(["[", "["]), json.dumps([CURSORS[-1], ""]), '["",""]', "[1]"]
    for value in [*some(CURSORS, 0), *more]:
        get(page, {"timeline": value})
        get(page, {"timeline": json.dumps([value, value])})


def forms(rows):
    """The address of each form, and what it takes when it is filled in well."""
    service, why = rows["service"], {"reason": "other", "note": "n", "ticket": "t"}
    about = {"service": service.pk, "client": "app-1"}
    for model, action in (
        ("grant", "revoke"), ("client", "lock"), ("client", "unlock"), ("client", "cut-off"),
        ("service", "cut-off"), ("dpopnonce", "expire"),
    ):  # fmt: skip
        yield reverse(f"admin:grant_management_{model}_{action}", args=[rows[model].pk]), why
    names = (
        "subject", "scope", "authorization_type", "created_before", "typed", "sweep",
    )  # fmt: skip
    yield reverse("admin:grant_management_sweep_check"), about | dict.fromkeys(names, "") | why
    yield (
        reverse("admin:grant_management_sweep_check"),
        {"service": service.pk, "subject": "u", "scope": "s", "sweep": uuid.uuid4(), "typed": "0"}
        | why,
    )
    yield reverse("admin:grant_management_grant_find"), {"text": "t"}
    several = {"confirmed": "1", "grant": rows["grant"].pk, "one": "", "these": "", "service": ""}
    yield (
        reverse("admin:grant_management_grant_revoke_many", args=[rows["grant"].pk]),
        several | why,
    )
    yield (
        reverse("admin:grant_management_apitoken_issue"),
        {
            "once": "o",
            "organization": service.organization_id,
            "service": service.pk,
            "description": "d",
            "expires_at": "2999-01-01",
            "can_manage_tokens": "",
        },
    )
    for action in ("rotate", "revoke"):
        url = reverse(f"admin:grant_management_apitoken_{action}", args=[rows["apitoken"].pk])
        yield url, {"once": "o"}
    settings = dict.fromkeys(("name", "realm", "dpop_max_age", "dpop_nonce_duration"), "1")
    settings |= {
        "ownership": "client",
        "grant_management_endpoint": "https://as.example.com/gm",
        "dpop_signing_algs": '["ES256"]',
        "actions_supported": "[]",
        "call_log_size": "1",
        "dpop_clock_skew": "1",
        "access_token_duration": "1",
        "refresh_token_duration": "1",
    }
    yield reverse("admin:grant_management_service_settings", args=[service.pk]), settings | why
    names = (
        "body", "gm_action", "grant_id", "access_token", "dpop", "client_certificate", "htm",
        "htu", "dpop_nonce_required",
    )  # fmt: skip
    yield (
        reverse("admin:grant_management_service_what_if", args=[service.pk]),
        dict.fromkeys(names, "x") | {"gm_action": "QUERY", "body": ""},
    )
    yield (
        reverse("admin:grant_management_organizationmember_add"),
        {"user": "1", "organization": service.organization_id},
    )


BODIES = [
    *VALUES,
    "",
    "x" * 2_001,
    "[" * 100_000,
    f"[{LONG}]",
    "9999-12-31T23:59:59Z",
]
JSON = [
    "{" * 50_000,
    '"\\ud800"',
    '["\\u0000"]',
    "NaN",
    "[1e999999999]",
    '[{"a":1,"a":2}]',
    "http://[",
    "https://as.example.com:99999/x",
]


@pytest.mark.parametrize("place", range(16))
def test_forms(get, rows, some, place):
    """Each field of each form in turn, all others filled in well."""
    every = list(forms(rows))
    assert len(every) == 16
    url, good = every[place]
    for turn, name in enumerate(good, place):
        takes_json = name in ("body", "dpop_signing_algs", "actions_supported")
        special = JSON if takes_json or name == "grant_management_endpoint" else []
        for value in some([*BODIES, *special], turn):
            get(url, data=good | {name: value})


def test_lengths_are_those_of_the_columns(get, rows):
    """What a job remembers of its filter fits, to the last character; one more is refused."""
    check, service = reverse("admin:grant_management_sweep_check"), rows["service"]
    for name in ("subject", "scope", "authorization_type"):
        for length, started in ((255, 1), (256, 0)):
            Sweep.objects.all().delete()
            data = {"service": service.pk, name: "x" * length, "reason": "other"}
            data |= {"sweep": uuid.uuid4(), "typed": ""}  # nothing is found: nothing is typed
            page = get(check, data=data)
            assert Sweep.objects.count() == started, name
            if not started:
                assert name in page.context["form"].errors


def test_a_cursor_that_was_written_is_read(world):
    grant = world.grant()
    order = ("-created_at", "-pk")
    values = [grant.created_at, grant.pk]
    assert keyset.parsed(Grant, order, keyset.written(values)) == values
    assert keyset.parsed(Service, ("pk",), keyset.written([world.service.pk])) == [world.service.pk]


def test_a_past_that_no_zone_has(get, rows, settings):
    """Far from Greenwich, at both ends of time."""
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
        settings.TIME_ZONE = zone
        for name in ("grant", "grantevent", "call"):
            for value in ("0001-01-01", "9999-12-31", *EXTREMES):
                page = get(listing(name), {"since": value, "until": value})
                assert page.context["list"].count == 0
        for value in CURSORS[-16:]:
            get(listing("grant"), {"after": value})


def test_what_is_asked_of_the_database_fails_nothing_later(get, rows):
    """On PostgreSQL a failed statement would end the transaction of the test."""
    ApiToken.objects.filter(created_at__lte=now()).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
