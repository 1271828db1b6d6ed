"""What is asked before a cut-off or a lock grows with what it stops; and it is counted first."""

from datetime import timedelta

import pytest
from django.urls import reverse

from grant_management.admin.kit import confirmation
from grant_management.models import Client, Grant, GrantEvent, Reason, Service, stops

from ..world import BY_TEST, make_world, now

ACTIONS = [("client", "lock"), ("client", "cut-off"), ("service", "cut-off")]


@pytest.fixture
def sizes(monkeypatch):
    """Few and many are smaller numbers, so that a test needs fewer rows."""
    monkeypatch.setattr(confirmation, "FEW", 2)
    monkeypatch.setattr(confirmation, "MANY", 4)


def fill(world, number):
    for _ in range(number):
        world.token(world.grant())


def address(world, model, name):
    return reverse(f"admin:grant_management_{model}_{name}", args=[getattr(world, model).pk])


def asked(page):
    """The page's hidden key, and what it says that must be typed."""
    form = page.context["form"]
    label = str(form.fields["typed"].label) if "typed" in form.fields else ""
    return form.initial["page"], label.rpartition(" ")[2]


@pytest.mark.parametrize(("model", "name"), ACTIONS)
@pytest.mark.parametrize(("number", "phrase"), [(0, ""), (2, ""), (3, "3"), (4, "4"), (5, "name")])
def test_what_must_be_typed(admin_client, world, sizes, model, name, number, phrase):
    fill(world, number)
    other = make_world()
    fill(other, 1)
    url = address(world, model, name)
    page = admin_client.get(url)
    shown = page.content.decode()
    assert f"Grants: {number}; access tokens: {number}; refresh tokens: 0." in shown
    expected = {"client": "app-1", "service": "Retail"}[model] if phrase == "name" else phrase
    key, label = asked(page)
    assert label == expected
    sent = {"reason": "other", "page": key}
    if expected:
        for wrong in ("", "x", expected + "0"):
            assert admin_client.post(url, sent | {"typed": wrong}).status_code == 200
        assert not GrantEvent.objects.exists()
    assert admin_client.post(url, sent | {"typed": expected}).status_code == 302
    told = GrantEvent.objects.get().details["stops"]
    assert told["grants"] == {"number": number, "exact": True}
    assert told["access_tokens"] == {"number": number, "exact": True}


def test_a_count_that_changes_does_not_block(admin_client, world, sizes):
    fill(world, 3)
    url = address(world, "client", "cut-off")
    key, phrase = asked(admin_client.get(url))
    fill(world, 3)
    sent = {"reason": "other", "page": key, "typed": phrase}
    assert admin_client.post(url, sent).status_code == 302
    assert GrantEvent.objects.get().details["stops"]["grants"]["number"] == 3


def test_what_was_shown_without_a_phrase_needs_none_later(admin_client, world, sizes):
    url = address(world, "service", "cut-off")
    key, _phrase = asked(admin_client.get(url))
    fill(world, 5)
    assert admin_client.post(url, {"reason": "other", "page": key}).status_code == 302


def test_a_page_that_is_not_remembered_asks_for_what_stops_now(admin_client, world, sizes):
    fill(world, 3)
    url = address(world, "client", "lock")
    for page in ("", "made-up"):
        sent = {"reason": "other", "page": page, "typed": ""}
        assert admin_client.post(url, sent).status_code == 200
    assert not GrantEvent.objects.exists()
    assert admin_client.post(url, sent | {"typed": "3"}).status_code == 302


def test_the_page_of_one_action_confirms_no_other(admin_client, world, sizes):
    key, _phrase = asked(admin_client.get(address(world, "client", "lock")))
    fill(world, 5)
    sent = {"reason": "other", "page": key}
    assert admin_client.post(address(world, "service", "cut-off"), sent).status_code == 200
    assert Service.objects.get(pk=world.service.pk).not_before is None


def test_beyond_the_limit_it_says_at_least(admin_client, world, monkeypatch):
    monkeypatch.setattr(stops, "LOOKS", (2,))
    monkeypatch.setattr(stops, "FEWER", ())
    fill(world, 3)
    page = admin_client.get(address(world, "service", "cut-off")).content.decode()
    assert "Grants: at least 2; access tokens: at least 2;" in page
    url = address(world, "service", "cut-off")
    assert admin_client.post(url, {"reason": "other"}).status_code == 302
    told = GrantEvent.objects.get().details["stops"]
    assert told["grants"] == {"number": 2, "exact": False}


def test_the_count_is_bounded(admin_client, world, monkeypatch):
    monkeypatch.setattr("grant_management.db.counting.COUNT_LIMIT", 2)
    monkeypatch.setattr(stops, "COUNT_LIMIT", 2)
    fill(world, 4)
    found = stops.stops_of(world.service)
    assert str(found.grants) == "at least 2"


def test_of_tokens_fewer_are_counted_than_of_grants(world, monkeypatch):
    """But of one grant's, which is read once."""
    monkeypatch.setattr(stops, "MOST_TOKENS", 2)
    fill(world, 3)
    grant = world.grant()
    for _ in range(3):
        world.token(grant)
    found = stops.stops_of(world.service)
    assert (str(found.grants), str(found.access_tokens)) == ("4", "at least 2")
    assert str(stops.stops_of_grant(grant).access_tokens) == "3"


def test_where_few_of_the_first_tokens_end_more_are_looked_at(world, monkeypatch):
    monkeypatch.setattr(stops, "FEWER", (1, 2))
    fill(world, 3)
    for before in (None, now()):
        assert str(stops.stops_of(world.service, before).access_tokens) == "3"


def test_what_is_dead_already_is_not_counted(world):
    fill(world, 1)
    revoked = world.grant()
    world.token(revoked)
    revoked.revoke(BY_TEST, Reason("other"))
    world.token(world.grant(expires_at=now()))
    world.token(world.grant(), expires_at=now())
    before = stops.stops_of(world.service)
    assert (before.grants.count, before.access_tokens.count) == (2, 1)
    world.client.move_cut_off(BY_TEST, Reason("other"))
    after = stops.stops_of(Service.objects.get(pk=world.service.pk))
    assert after.damage == 0


def test_the_clients_that_lose_most_are_named(admin_client, world):
    fill(world, 2)
    other = world.client_named("app-2")
    for _ in range(3):
        world.grant(client=other)
    page = admin_client.get(address(world, "service", "cut-off")).content.decode()
    assert "app-2 (3), app-1 (2)" in page


def test_statements_do_not_grow(admin_client, world, django_assert_max_num_queries):
    fill(world, 20)
    with django_assert_max_num_queries(25):
        admin_client.get(address(world, "service", "cut-off"))


def test_an_unlock_needs_no_phrase(admin_client, world, sizes):
    fill(world, 5)
    world.client.lock(BY_TEST, Reason("other"))
    url = address(world, "client", "unlock")
    assert admin_client.post(url, {"reason": "other"}).status_code == 302
    assert Client.objects.get(pk=world.client.pk).locked_at is None


SIZES = [(0, ""), (2, ""), (3, "3"), (4, "4"), (5, "name")]


@pytest.mark.parametrize(("number", "phrase"), SIZES)
def test_one_grant(admin_client, world, sizes, number, phrase):
    """With many tokens it is asked for as anything else."""
    grant = world.grant()
    for _ in range(number):
        world.token(grant)
    url = reverse("admin:grant_management_grant_revoke", args=[grant.pk])
    expected = grant.grant_id if phrase == "name" else phrase
    key, label = asked(admin_client.get(url))
    assert label == expected
    sent = {"reason": "other", "page": key}
    if expected:
        assert admin_client.post(url, sent | {"typed": "x"}).status_code == 200
        assert not GrantEvent.objects.exists()
    assert admin_client.post(url, sent | {"typed": expected}).status_code == 302
    told = GrantEvent.objects.get().details["stops"]
    assert told["access_tokens"]["number"] == number
    assert Grant.objects.get().revoked_at is not None


@pytest.mark.parametrize("of", ["grants", "tokens"])
@pytest.mark.parametrize(("number", "phrase"), SIZES[1:])
def test_the_grants_of_a_person(admin_client, world, sizes, of, number, phrase):
    """All of them, or one with many tokens."""
    grants = [world.grant() for _ in range(number if of == "grants" else 1)]
    for _ in range(number if of == "tokens" else 0):
        world.token(grants[0])
    url = reverse("admin:grant_management_grant_revoke_many", args=[grants[0].pk])
    page = admin_client.post(url, {"these": "all"})
    form = page.context["form"]
    expected = "user-1" if phrase == "name" else phrase
    label = str(form.fields["typed"].label) if "typed" in form.fields else ""
    assert label.rpartition(" ")[2] == expected
    sent = {"confirmed": "1", "reason": "other", "page": form["page"].value()}
    sent["grant"] = [str(key) for key in page.context["keys"]]
    if expected:
        again = admin_client.post(url, sent | {"typed": "x"})
        assert again.context["form"].errors["typed"]
        assert not GrantEvent.objects.exists()
        other = {"grant": sent["grant"], "confirmed": "1", "reason": "other", "page": "made-up"}
        assert admin_client.post(url, other).status_code == 200
    world.grant()  # a count that changes meanwhile does not block
    assert admin_client.post(url, sent | {"typed": expected}).status_code == 302
    assert Grant.objects.exclude(revoked_at=None).count() == len(grants)


@pytest.fixture
def not_yet(monkeypatch):
    """A job is started, and nobody works on it."""
    monkeypatch.setattr("grant_management.admin.sweep.work_in_background", lambda sweep: None)


@pytest.mark.parametrize("filtered", ["client", "subject"])
@pytest.mark.parametrize("of", ["grants", "tokens"])
@pytest.mark.parametrize(("number", "phrase"), SIZES[1:])
def test_a_revoke_by_filter(admin_client, world, sizes, not_yet, filtered, of, number, phrase):
    """Of many grants, or of one with many tokens."""
    grants = [world.grant() for _ in range(number if of == "grants" else 1)]
    for _ in range(number if of == "tokens" else 0):
        world.token(grants[0])
    value = {"client": "app-1", "subject": "user-1"}[filtered]
    sent = {"service": world.service.pk, filtered: value}
    url = reverse("admin:grant_management_sweep_check")
    page = admin_client.post(url, sent)
    expected = value if phrase == "name" else phrase
    assert page.context["phrase"] == expected
    assert ("typed" in page.context["confirm"].fields) == bool(expected)
    sent |= {"sweep": page.context["confirm"].initial["sweep"], "reason": "other"}
    if expected:
        for wrong in ("", "x"):
            again = admin_client.post(url, sent | {"typed": wrong})
            assert again.context["confirm"].errors["typed"]
    assert admin_client.post(url, sent | {"typed": expected}).status_code == 302


def test_a_cut_off_by_filter_asks_for_the_name(admin_client, world):
    """It stops tokens without a grant too."""
    fill(world, 1)
    url = reverse("admin:grant_management_sweep_check")
    sent = {"service": world.service.pk, "created_before": "2020-01-01"}
    assert admin_client.post(url, sent).context["phrase"] == "Retail"
    assert admin_client.post(url, sent | {"client": "app-1"}).context["phrase"] == "app-1"


def test_a_revoke_by_filter_says_what_stops(admin_client, world, monkeypatch):
    """As the page of a person; above a number of grants it does not count their tokens."""
    fill(world, 2)
    url = reverse("admin:grant_management_sweep_check")
    sent = {"service": world.service.pk, "subject": "user-1"}
    said = "Grants: 2; access tokens: 2; refresh tokens: 0."
    assert said in admin_client.post(url, sent).content.decode()
    monkeypatch.setattr("grant_management.admin.sweep_confirmation.MOST", 1)
    assert admin_client.post(url, sent).context["numbers"] == []


def test_a_cut_off_by_filter_says_what_came_before_its_moment(admin_client, world, not_yet):
    """And so does its event, which has the numbers of the page."""
    fill(world, 2)
    world.token(), world.refresh_token()
    moment = now() - timedelta(minutes=2)
    later = world.grant(created_at=now())
    for grant in (later, None):
        world.token(grant, issued_at=now())
    world.token(world.grant(), issued_at=now())  # it ends with its grant
    world.service.revoke_access_tokens = False
    world.service.save()
    url = reverse("admin:grant_management_sweep_check")
    sent = {"service": world.service.pk, "client": "app-1", "created_before": moment.isoformat()}
    page = admin_client.post(url, sent)
    text = page.content.decode()
    assert "This stops now. Grants: 3; access tokens: 4; refresh tokens: 1" in text
    assert "access tokens stay valid" not in text  # a cut-off spares none
    sent |= {"sweep": page.context["confirm"].initial["sweep"], "reason": "other"}
    assert admin_client.post(url, sent | {"typed": "app-1"}).status_code == 302
    event = GrantEvent.objects.get(kind="cut_off")
    assert event.details["stops"]["grants"] == {"number": 3, "exact": True}
    assert event.details["stops"]["access_tokens"] == {"number": 4, "exact": True}
    world.client.refresh_from_db()
    assert stops.stops_of(world.client).access_tokens.count == 2  # of 6
