"""Revoke by filter in the browser: chosen, checked, confirmed once; watched, paused, resumed."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import reverse
from django.utils import translation

from grant_management.admin import sweep as pages
from grant_management.admin import sweep_confirmation, sweep_worker
from grant_management.admin.kit import confirmation
from grant_management.db import clock
from grant_management.models import Grant, GrantEvent, GrantFilter, Sweep
from grant_management.models.grant_filter import Look

from ..exports import body, read_csv
from ..world import make_world, now


def url(page, *arguments):
    return reverse(f"admin:grant_management_sweep_{page}", args=arguments)


@pytest.fixture(autouse=True)
def sizes(monkeypatch):
    """The number of a few grants must be typed, so that a test needs fewer rows."""
    monkeypatch.setattr(confirmation, "FEW", 0)


@pytest.fixture
def at_once(monkeypatch):
    """The work in the test's own thread, whose transaction no other can see."""

    class Now:
        def __init__(self, target, args, **kwargs):
            self.work = lambda: target(*args)

        def start(self):
            self.work()

    monkeypatch.setattr(sweep_worker.threading, "Thread", Now)
    monkeypatch.setattr(sweep_worker.connections, "close_all", lambda: None)


@pytest.fixture
def not_yet(monkeypatch):
    monkeypatch.setattr(pages, "work_in_background", lambda sweep: None)


def chosen(world, **fields):
    return {"service": world.service.pk, **fields}


def confirmed(page, **fields):
    """What the browser would send from the page: the filter, the number, what was typed."""
    hidden = {name: value for name, value in page.context["form"].data.items() if value}
    hidden.pop("csrfmiddlewaretoken", None)
    confirm = page.context["confirm"]
    typed = {
        "typed": page.context["phrase"],
        "reason": "compromised key",
        "note": "",
        "ticket": "T-1",
    }
    return hidden | {"sweep": confirm.initial["sweep"]} | typed | fields


def test_choose_check_confirm(admin_client, world, at_once, call):
    for _ in range(3):
        world.grant(subject="leaked")
    other = world.grant()
    page = admin_client.post(url("check"), chosen(world, subject="leaked"))
    assert (page.context["count"], page.context["phrase"]) == ("3", "3")
    assert len(page.context["sample"]) == 3
    assert page.context["clients"] == [("app-1", 3)]
    assert Sweep.objects.count() == GrantEvent.objects.count() == 0
    response = admin_client.post(url("check"), confirmed(page), follow=True)
    sweep = Sweep.objects.get()
    assert response.redirect_chain[-1][0] == url("change", sweep.pk)
    assert (sweep.revoked, sweep.actor, sweep.reason, sweep.ticket) == (
        3,
        "admin",
        "compromised key",
        "T-1",
    )
    assert Grant.objects.filter(revoked_at=None).get() == other
    assert {event.actor for event in GrantEvent.objects.all()} == {"admin"}
    assert "Done" in response.content.decode()


def test_the_client_is_typed(admin_client, world, not_yet, monkeypatch):
    monkeypatch.setattr(confirmation, "MANY", 0)
    world.grant()
    page = admin_client.post(url("check"), chosen(world, client="app-1"))
    assert page.context["phrase"] == "app-1"
    for wrong in ("", "1", "app-2"):
        again = admin_client.post(url("check"), confirmed(page, typed=wrong))
        assert again.context["confirm"].errors["typed"]
    assert admin_client.post(url("check"), confirmed(page, reason="")).context["confirm"].errors
    assert not Sweep.objects.exists()
    assert admin_client.post(url("check"), confirmed(page)).status_code == 302


def test_a_double_click_starts_one(admin_client, world, not_yet):
    world.grant()
    page = admin_client.post(url("check"), chosen(world, client="app-1"))
    for _ in range(2):
        response = admin_client.post(url("check"), confirmed(page), follow=True)
    assert Sweep.objects.count() == 1
    assert response.redirect_chain[-1][0] == url("change", Sweep.objects.get().pk)
    assert "already started" in response.content.decode()


def test_an_empty_filter_is_refused(admin_client, world, not_yet):
    world.grant()
    for fields in ({}, {"subject": ""}, {"client": "app-9"}, {"created_before": "2999-01-01"}):
        page = admin_client.post(url("check"), chosen(world, **fields))
        assert page.context["form"].errors, fields
    sent = chosen(world) | {"sweep": uuid.uuid4(), "typed": "1", "reason": "other"}
    admin_client.post(url("check"), sent)
    assert not Sweep.objects.exists()
    assert admin_client.get(url("check")).status_code == 302


def test_a_cut_off_is_in_force_when_the_page_answers(admin_client, world, not_yet, call):
    """Though nobody has worked on the sweep yet."""
    token = world.token(world.grant())
    moment = (now() - timedelta(seconds=2)).strftime("%Y-%m-%d %H:%M:%S")
    page = admin_client.post(url("check"), chosen(world, client="app-1", created_before=moment))
    assert page.context["is_cut_off"]
    assert call(gmAction="QUERY", grantId="x", accessToken=token).code == "A283301"
    admin_client.post(url("check"), confirmed(page))
    assert call(gmAction="QUERY", grantId="x", accessToken=token).code == "A280302"
    assert GrantEvent.objects.get().kind == "cut_off"
    assert Sweep.objects.get().revoked == 0


def test_what_nobody_works_on_is_resumed(admin_client, world, monkeypatch, at_once):
    world.grant()
    with monkeypatch.context() as away:
        away.setattr(pages, "work_in_background", lambda sweep: None)
        page = admin_client.post(url("check"), chosen(world, client="app-1"))
        admin_client.post(url("check"), confirmed(page))
    sweep = Sweep.objects.get()
    shown = admin_client.get(url("change", sweep.pk)).content.decode()
    assert "Nobody works on it" in shown
    assert admin_client.get(url("resume", sweep.pk)).status_code == 302
    assert Sweep.objects.get().revoked == 0
    admin_client.post(url("resume", sweep.pk))
    assert Sweep.objects.get().revoked == 1


def test_pause(admin_client, world, not_yet):
    world.grant()
    page = admin_client.post(url("check"), chosen(world, client="app-1"))
    admin_client.post(url("check"), confirmed(page))
    sweep = Sweep.objects.get()
    assert admin_client.get(url("pause", sweep.pk)).status_code == 302
    assert Sweep.objects.get().paused_at is None
    admin_client.post(url("pause", sweep.pk))
    assert admin_client.get(url("progress", sweep.pk)).json()["status"] == "paused"


def test_reports(admin_client, world, at_once):
    for number in range(3):
        world.grant(subject="leaked", grant_id=f"g-{number}")
    page = admin_client.post(url("check"), chosen(world, subject="leaked"))
    admin_client.post(url("check"), confirmed(page))
    sweep = Sweep.objects.get()
    lines = read_csv(admin_client.get(url("report.csv", sweep.pk)))
    assert {line["grant_id"] for line in lines} == {"g-0", "g-1", "g-2"}
    report = json.loads(body(admin_client.get(url("report.json", sweep.pk))))
    assert (report["revoked"], report["byClient"]) == (3, {"app-1": 3})
    assert (report["startedBy"], report["ticket"], report["status"]) == ("admin", "T-1", "done")


def test_progress(admin_client, world, at_once):
    world.grant()
    page = admin_client.post(url("check"), chosen(world, client="app-1"))
    admin_client.post(url("check"), confirmed(page))
    now_ = admin_client.get(url("progress", Sweep.objects.get().pk)).json()
    assert (now_["status"], now_["revoked"], now_["expected"]) == ("done", 1, 1)
    assert admin_client.get(url("progress", uuid.uuid4())).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_work_is_done_in_a_thread(client, django_user_model, monkeypatch):
    """The real one: the page answers, and the grants are revoked behind it."""
    import threading

    def close_all():
        """Also a connection to SQLite in memory, which Django would keep: Python 3.13 warns."""
        for one in connections.all(initialized_only=True):
            BaseDatabaseWrapper.close(one)

    monkeypatch.setattr(sweep_worker.connections, "close_all", close_all)
    world = make_world()
    for _ in range(5):
        world.grant()
    client.force_login(django_user_model.objects.create_superuser("root"))
    page = client.post(url("check"), chosen(world, client="app-1"))
    client.post(url("check"), confirmed(page))
    sweep = Sweep.objects.get()
    for thread in threading.enumerate():
        if thread.name == f"sweep-{sweep.pk}":
            thread.join(30)
    assert Sweep.objects.get().finished_at is not None
    assert not Grant.objects.filter(revoked_at=None).exists()


class TestWhatIsTyped:
    """It is what was shown, though what is counted moves meanwhile."""

    def shown(self, admin_client, world, **fields):
        return admin_client.post(url("check"), chosen(world, **(fields or {"subject": "user-1"})))

    def test_a_count_that_moves(self, admin_client, world, not_yet):
        for _ in range(3):
            world.grant()
        page = self.shown(admin_client, world)
        assert page.context["phrase"] == "3"
        for _ in range(2):
            world.grant()
        assert admin_client.post(url("check"), confirmed(page)).status_code == 302
        assert Sweep.objects.get().expected == 3

    def test_the_count_of_now_was_not_shown(self, admin_client, world, not_yet):
        for _ in range(3):
            world.grant()
        page = self.shown(admin_client, world)
        world.grant()
        again = admin_client.post(url("check"), confirmed(page, typed="4"))
        assert again.context["confirm"].errors["typed"]
        assert again.context["phrase"] == "4"
        assert not Sweep.objects.exists()
        again = admin_client.post(url("check"), confirmed(page, typed="4"))
        assert again.status_code == 302

    def test_it_holds_for_the_filter_that_it_was_shown_for(self, admin_client, world, not_yet):
        """Another one was not counted: the number that it happens to have is not enough."""
        for _ in range(3):
            world.grant()
        for _ in range(2):
            world.grant(subject="user-2")
        page = self.shown(admin_client, world)
        again = admin_client.post(url("check"), confirmed(page, subject="user-2"))
        assert again.context["phrase"] == "2"
        assert not Sweep.objects.exists()

    def test_it_holds_for_an_hour(self, admin_client, world, not_yet, monkeypatch):
        for _ in range(3):
            world.grant()
        page = self.shown(admin_client, world)
        world.grant()
        later = clock.now() + timedelta(seconds=confirmation.HOLDS + 60)
        monkeypatch.setattr(clock, "estimate", lambda: later)
        again = admin_client.post(url("check"), confirmed(page))
        assert again.context["phrase"] == "4"
        assert not Sweep.objects.exists()

    @pytest.mark.parametrize(("language", "shown"), [("en", "1,234"), ("de", "1.234")])
    def test_separators_need_not_be_typed(self, world, monkeypatch, language, shown):
        with translation.override(language):
            monkeypatch.setattr(confirmation, "MANY", 2_000)
            look = Look(1_234, True, [], [])
            wanted = GrantFilter(world.service, subject="x")
            asked = sweep_confirmation.Asked.about(wanted, look, None)
            assert asked.phrase == shown
            for typed in ("1234 ", shown):
                assert confirmation.is_typed(asked.phrase, typed)
            assert not confirmation.is_typed(asked.phrase, "12345")
        assert not confirmation.is_typed("a,b", "ab")

    def test_so_many_pages_are_remembered(self, admin_client, world, not_yet):
        for _ in range(confirmation.KEPT + 5):
            self.shown(admin_client, world)
        assert len(admin_client.session[confirmation.KEY]) == confirmation.KEPT

    def test_each_login_session_has_its_own(self, admin_client, client, django_user_model, world):
        """What one operator was shown, another was not."""
        for _ in range(3):
            world.grant()
        page = self.shown(admin_client, world)
        world.grant()
        client.force_login(django_user_model.objects.create_superuser("other"))
        again = client.post(url("check"), confirmed(page))
        assert again.context["phrase"] == "4"
        assert not Sweep.objects.exists()


LEFT_OUT = [
    ({"status": "active"}, "Status Active"),
    ({"period": "7d"}, "Period Last 7 days"),
    ({"since": "2026-01-01"}, "From (UTC) 2026-01-01"),
    ({"expires_within": "7"}, "Expires within days 7"),
    ({"until": "not a day"}, "To (UTC) not a day"),
    ({"q": "g-1"}, "g-1"),
    ({"client": "app-1", "q": "app-1"}, "app-1"),
]


@pytest.mark.parametrize(("query", "words"), LEFT_OUT)
def test_filters_of_the_list_that_do_not_count_are_said(admin_client, world, query, words):
    """On both pages: whoever chose them would think that they hold."""
    world.grant(grant_id="g-1")
    page = admin_client.get(url("start"), query)
    said = "These filters of the list do not count here:"
    assert said in page.content.decode()
    form = page.context["form"]
    assert words in form.initial["left_out"]
    assert "subject" not in form.initial
    sent = chosen(world, client="app-1", left_out=form.initial["left_out"])
    checked = admin_client.post(url("check"), sent).content.decode()
    assert said in checked
    assert words in checked


def test_filters_that_a_job_has_are_taken(admin_client, world):
    world.grant()
    query = {
        "service": world.service.pk,
        "client": "app-1",
        "q": "user-1",
        "until": "2026-01-31",
        "authorization_type": "payment",
        "sort": "created",
    }
    page = admin_client.get(url("start"), query)
    assert "do not count here" not in page.content.decode()
    initial = page.context["form"].initial
    assert (initial["client"], initial["subject"]) == ("app-1", "user-1")
    assert initial["authorization_type"] == "payment"
    assert str(initial["created_before"]).startswith("2026-01-31 23:59:59")
