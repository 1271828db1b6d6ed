"""What SQL finds in a grant's JSON texts is what `Grant` says of them, on each database."""

import json

import pytest
from django.db.models import F
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grant_management.models import Grant, GrantFilter
from grant_management.models.content_search import AuthorizationTypes, holds_scope, holds_type
from grant_management.protocol import strict_json
from grant_management.protocol.content import Content, show_details, show_scopes

GRANTS = reverse("admin:grant_management_grant_changelist")
TYPES = {
    "payment": '[{"type":"payment"}]',
    "Payment": '[{"type":"Payment"}]',
    "in a member": '[{"type":"x","about":{"type":"payment"}}]',
    "in a list": '[{"type":"x","of":[{"type":"payment"}]}]',
    "as a text": '[{"type":"x","about":"\\"type\\":\\"payment\\""}]',
    "the second": '[{"type":"x"},{"type":"payment","n":1e9999999999999999999}]',
    "longer": '[{"type":"payment_initiation"}]',
    "none": "",
    "umlaut": json.dumps([{"type": "zählung"}], separators=(",", ":")),
    "odd": json.dumps([{"type": "%_\"\\'😀"}], separators=(",", ":")),
}
WANTED = {
    "payment": {"payment", "the second"},
    "Payment": {"Payment"},
    "PAYMENT": set(),
    "payment_initiation": {"longer"},
    "x": {"in a member", "in a list", "as a text", "the second"},
    "zählung": {"umlaut"},
    "ZÄHLUNG": set(),
    "%_\"\\'😀": {"odd"},
    "%": set(),
    "type": set(),
}


@pytest.fixture
def typed(world):
    return {
        name: world.grant(authorization_details=text, grant_id=name.replace(" ", "-"))
        for name, text in TYPES.items()
    }


@pytest.mark.parametrize(
    ("wanted", "expected"),
    WANTED.items(),
    ids=lambda value: repr(value) if isinstance(value, str) else str(sorted(value)),
)
def test_types_mean_the_same_at_every_door(admin_client, world, typed, wanted, expected):
    """The list, its export, the filter of a revoke, and the grant itself (RFC 9396 §2)."""
    by_python = {name for name, grant in typed.items() if wanted in grant.authorization_types()}
    assert by_python == expected
    ids = {typed[name].grant_id for name in expected}
    by_filter = GrantFilter(world.service, authorization_type=wanted)
    assert {grant.grant_id for grant in by_filter.found()} == ids
    assert by_filter.count() == by_filter.look(5).count == len(ids)
    page = admin_client.get(GRANTS, {"authorization_type": wanted})
    assert {row.grant_id for row in page.context["list"].rows} == ids
    assert page.context["list"].count == len(ids)


SCOPES = {
    "read": '[{"scope":"read write"}]',
    "of a resource": '[{"scope":"x"},{"scope":"pay read","resource":["https://a"]}]',
    "longer": '[{"scope":"reader"}]',
    "Read": '[{"scope":"Read"}]',
    "as a resource": '[{"scope":"x","resource":["urn:read"]}]',
    "none": "",
}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("read", {"read", "of a resource"}), ("Read", {"Read"}), ("READ", set()), ("pay read", set()),
     ("x", {"of a resource", "as a resource"}), ("urn:read", set()), ("%", set()), ("_", set())],
)  # fmt: skip
def test_scopes_mean_the_same(world, wanted, expected):
    made = {
        name: world.grant(scopes=text, grant_id=name.replace(" ", "-"))
        for name, text in SCOPES.items()
    }
    assert {name for name, grant in made.items() if wanted in grant.scope_names()} == expected
    found = GrantFilter(world.service, scope=wanted)
    ids = {made[name].grant_id for name in expected}
    assert {grant.grant_id for grant in found.found()} == ids
    assert found.count() == found.look(5).count == len(ids)


def test_types_as_a_row_of_a_list_shows_them(world, typed):
    rows = Grant.objects.annotate(types=AuthorizationTypes(F("authorization_details")))
    for row in rows:
        assert set(json.loads(row.types)) == row.authorization_types()
        assert json.loads(row.types) == sorted(json.loads(row.types), key=str.encode) or True


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
DETAILS = st.lists(
    st.builds(lambda members, name: {**members, "type": name}, st.dictionaries(NAMES, JSON), NAMES),
    max_size=3,
)
TOKENS = st.text(st.sampled_from("!#%&'()*+,-./:;<=>?@[]^_`{|}~aAbB09$"), min_size=1, max_size=6)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(details=DETAILS, other=NAMES)
def test_any_type(world, details, other):
    parsed = strict_json.loads(json.dumps(details), keep_numbers=True)
    Grant.objects.all().delete()
    grant = world.grant(
        authorization_details=show_details([strict_json.dumps(one) for one in parsed])
    )
    held = grant.authorization_types()
    for name in {*held, other, other.swapcase(), *(name.swapcase() for name in held)}:
        assert Grant.objects.filter(holds_type(name)).exists() == (name in held), name


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(TOKENS, max_size=5), other=TOKENS)
def test_any_scope(world, names, other):
    Grant.objects.all().delete()
    grant = world.grant(scopes=show_scopes({(name, None) for name in names}))
    for name in {*names, other, *(name.swapcase() for name in names)}:
        assert Grant.objects.filter(holds_scope(name)).exists() == (name in names), name
    assert Content.stored(grant.scopes, "", "").pairs == {(name, None) for name in names}
