"""Django's own lists have what the large ones have: exports, filters, states and periods."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.urls import reverse

from grant_management.admin.kit import list_export
from grant_management.admin.kit.short_list import ShortListAdmin
from grant_management.models import (
    Actor,
    ApiToken,
    OrganizationEvent,
    OrganizationMember,
    Stream,
    Webhook,
)

from ..exports import read_csv, read_json_lines
from ..world import BY_TEST, make_operator, make_world, now

SHORT = [page for page in site._registry.values() if isinstance(page, ShortListAdmin)]


def pages_of(model):
    return site._registry[apps.get_model("grant_management", model)]


def applied(page):
    return [(str(one.label), one.value, rest) for one, rest in page.context["applied"]]


@pytest.fixture
def webhooks(world):
    def make(service, **fields):
        return Webhook.objects.create(
            service=service, url="https://a.example/secret-path", created_at=now(), **fields
        )

    return [
        make(world.service, description="one"),
        make(world.service, description="two", disabled_at=now()),
        make(make_world(name="Other").service, description="three"),
    ]


@pytest.mark.parametrize("pages", SHORT, ids=lambda pages: pages.opts.model_name)
def test_each_has_an_export_of_what_is_shown(admin_client, world, pages):
    """A form of the list takes it, and shows that it is being prepared."""
    page = admin_client.get(pages.url("changelist"), {})
    button = f'formaction="{pages.url("export_csv")}" data-download'
    assert button in page.content.decode()
    assert 'data-working="file"' in page.content.decode()
    answer = admin_client.get(pages.url("export_csv"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert len(read_csv(answer)) == page.context["cl"].result_count
    refused = admin_client.get(pages.url("export_csv"), {"nothing": "x"})
    assert refused.status_code == 400


def test_it_takes_the_filters_and_the_order_of_whichever_page_is_open(admin_client, webhooks):
    pages = pages_of("webhook")
    page = admin_client.get(pages.url("changelist"), {"state": "active", "o": "1", "p": "1"})
    form = page.content.decode().partition('<form class="gm-exports">')[2].partition("</form>")[0]
    taken = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', form))
    assert taken == {"state": "active", "o": "1"}  # and no page
    assert len(read_csv(admin_client.get(pages.url("export_csv"), taken))) == 2


def test_an_export_needs_what_the_list_needs(client, django_user_model, world):
    user = make_operator(django_user_model, "eve")
    user.user_permissions.set(Permission.objects.filter(codename="view_client"))
    client.force_login(user)
    for pages in SHORT:
        assert client.get(pages.url("export_csv")).status_code == 403, pages


def test_it_has_the_filters_the_order_and_no_secret(admin_client, webhooks):
    pages = pages_of("webhook")
    file = admin_client.get(pages.url("export_csv"), {"state": "active"})
    rows = read_csv(file)
    assert [(row["description"], row["status"]) for row in rows] == [
        ("three", "active"),
        ("one", "active"),
    ]
    assert not any("secret-path" in value for row in rows for value in row.values())


def test_each_can_be_removed_by_itself(admin_client, webhooks, world):
    pages = pages_of("webhook")
    query = {"state": "disabled", "service": world.service.pk, "period": "7d"}
    page = admin_client.get(pages.url("changelist"), query)
    assert [row.description for row in page.context["cl"].result_list] == ["two"]
    assert {(label, value) for label, value, _ in applied(page)} == {
        ("Status", "Disabled"),
        ("Service", "Retail"),
        ("Period", "Last 7 days"),
    }
    for label, _value, rest in applied(page):
        left = {part.split("=")[0] for part in rest.split("&")}
        assert left == set(query) - {{"Status": "state"}.get(label, label.lower())}
    assert page.context["bare"] == ""
    assert "Remove filter: Status Disabled" in page.content.decode()


@pytest.mark.parametrize("query", [{"state": "x"}, {"period": "x"}, {"service": "1"}])
def test_a_choice_that_there_is_not(admin_client, webhooks, query):
    for name in ("changelist", "export_csv"):
        assert admin_client.get(pages_of("webhook").url(name), query).status_code == 400


def test_states_of_api_tokens(admin_client, world):
    active = ApiToken.objects.get()
    for prefix, fields in {
        "expired": {"expires_at": now() - timedelta(minutes=1)},
        "later": {"expires_at": now() + timedelta(hours=1)},
        "revoked": {"revoked_at": now()},
    }.items():
        ApiToken.objects.create(
            organization=world.service.organization, service=world.service, prefix=prefix,
            digest=prefix.encode().ljust(32), created_at=now(), **fields,
        )  # fmt: skip
    for state, found in {
        "active": {active.prefix, "later"},
        "expired": {"expired"},
        "revoked": {"revoked"},
    }.items():
        rows = read_csv(admin_client.get(pages_of("apitoken").url("export_csv"), {"state": state}))
        assert {row["prefix"] for row in rows} == found
        assert {row["status"] for row in rows} == {state}


def test_a_period(admin_client, world):
    token = ApiToken.objects.get()
    Stream.objects.create(
        service=world.service, api_token=token, method="poll", description="old",
        created_at=now() - timedelta(days=8),
    )  # fmt: skip
    for period, number in {"7d": 0, "30d": 1}.items():
        page = admin_client.get(pages_of("stream").url("changelist"), {"period": period})
        assert page.context["cl"].result_count == number


def test_names_of_operators_cost_one_query(
    admin_client, world, django_user_model, django_assert_max_num_queries
):
    for number in range(5):
        user = make_operator(django_user_model, f"o{number}")
        OrganizationMember.objects.update_or_create(user=user, organization=None)
    export = pages_of("organizationmember").url("export_csv")
    admin_client.get(export)
    with django_assert_max_num_queries(12):
        rows = read_csv(admin_client.get(export))
    assert {f"o{number}" for number in range(5)} <= {row["username"] for row in rows}


def test_many_turns(admin_client, world, monkeypatch):
    """Also where the table grows: by key, in the order of the list."""
    monkeypatch.setattr(list_export, "TURN", 2)
    organization = world.service.organization_id
    for number in range(5):
        OrganizationEvent.objects.record(
            "imported", organization, now(), BY_TEST, ticket=f"T-{number}"
        )
    pages = pages_of("organizationevent")
    tickets = list(OrganizationEvent.objects.order_by("-pk").values_list("ticket", flat=True))
    assert len(tickets) == 5
    assert [row["ticket"] for row in read_csv(admin_client.get(pages.url("export_csv")))] == tickets
    rows = read_json_lines(admin_client.get(pages.url("export_jsonl")))
    assert [row["ticket"] for row in rows] == tickets
    for number in range(3):
        make_world(name=f"S{number}")
    names = [
        row["name"] for row in read_csv(admin_client.get(pages_of("service").url("export_csv")))
    ]
    assert len(names) == len(set(names)) == 4


class TestFoundByTheSearch:
    """What the boxes of these lists found."""

    @pytest.mark.parametrize(
        ("text", "title"),
        [("reta", "Services"), ("Example B", "Organizations"), ("admin", "Operators")],
    )
    def test_by_name(self, admin_client, world, text, title):
        page = admin_client.post(reverse("admin:grant_management_grant_find"), {"text": text})
        found = {str(one): [hit.url for hit in hits] for one, hits in page.context["groups"]}
        assert list(found) == [title]
        assert admin_client.get(found[title][0]).status_code == 200

    def test_by_number(self, admin_client, world):
        sent = {"text": str(world.service.pk)}
        page = admin_client.post(reverse("admin:grant_management_grant_find"), sent)
        assert [str(title) for title, _ in page.context["groups"]] == ["Services"]


def test_events_of_organizations_by_who_did_it(admin_client, world):
    """Of those who did something lately, one is chosen."""
    organization = world.service.organization_id
    for actor in (BY_TEST, Actor.operator("ann")):
        OrganizationEvent.objects.record("imported", organization, now(), actor)
    pages = pages_of("organizationevent")
    page = admin_client.get(pages.url("changelist"), {"actor": "ann"})
    assert [row.actor for row in page.context["cl"].result_list] == ["ann"]
    assert [label for label, _, _ in applied(page)] == ["Name of whoever did it"]
    assert admin_client.get(pages.url("changelist"), {"actor": "bob"}).status_code == 400
