"""A page shows rows of a model only to operators who may view that model, whatever page it is."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from grant_management.models import Call, GrantEvent, GrantFilter, Reason, RefreshToken, Sweep
from grant_management.protocol.digests import sha256

from ..world import BY_TEST, make_operator, now
from .pages import page_of

FIND = reverse("admin:grant_management_grant_find")


@pytest.fixture
def grant(world):
    made = world.grant()
    world.token(made, value="clear-access")
    world.refresh_token(made, value="clear-refresh")
    GrantEvent.objects.record(
        "merged", world.service.pk, now(), BY_TEST, grant_id=made.grant_id, subject="user-1",
        client_id="app-1", ticket="T-77",
    )  # fmt: skip
    Call.objects.create(
        service=world.service, at=now(), code="A281305", grant_id=made.grant_id, client_id="app-1"
    )
    return made


@pytest.fixture
def who(client, django_user_model, world):
    """An operator with these permissions."""
    user = make_operator(django_user_model)
    client.force_login(user)

    def may(*codenames):
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return client

    return may


def found(client, text):
    groups = client.post(FIND, {"text": text}).context["groups"]
    return {str(title): [hit.url for hit in hits] for title, hits in groups}


class TestTheSearch:
    def test_no_grants_of_a_person(self, who, grant):
        text = who("view_client").post(FIND, {"text": "user-1"}).content.decode()
        assert grant.grant_id not in text
        assert "It may" not in text
        assert "Nothing was found." in text
        text = who("view_grant").post(FIND, {"text": "user-1"}).content.decode()
        assert grant.grant_id in text

    @pytest.mark.parametrize("kind", ["access", "refresh"])
    def test_tokens_of_one_kind(self, who, grant, kind):
        client = who("view_grant", f"view_{kind}token")
        here = {"Tokens": [page_of("grant_change", grant.pk)]}
        assert found(client, f"clear-{kind}") == here
        other = {"access": "refresh", "refresh": "access"}[kind]
        assert found(client, f"clear-{other}") == {}
        assert found(client, sha256(f"clear-{other}").hex()[:10]) == {}

    def test_a_token_leads_to_a_page_that_opens(self, who, grant):
        client = who("view_refreshtoken")
        token = RefreshToken.objects.get()
        (url,) = found(client, "clear-refresh")["Tokens"]
        assert url == page_of("refreshtoken_change", token.pk)
        assert client.get(url).status_code == 200

    def test_events_of_a_subject_whose_grants_are_not_seen(self, who, grant):
        event = GrantEvent.objects.get()
        client = who("view_grantevent")
        assert found(client, "user-1") == {"Events": [page_of("grantevent_change", event.pk)]}


class TestAClient:
    def test_numbers_of_what_it_may_see(self, who, world, grant):
        url = page_of("client_change", world.client.pk)
        assert who("view_client").get(url).context["stops"] == []
        names = [
            [str(name) for name, _number in who("view_client", *may).get(url).context["stops"]]
            for may in (["view_grant"], ["view_accesstoken"], ["view_refreshtoken"])
        ]
        assert names == [["active grants"], ["access tokens"], ["refresh tokens"]]
        text = who("view_client").get(url).content.decode()
        assert "What a lock or a cut-off stops now" not in text


class TestAGrant:
    def test_its_tokens(self, who, grant):
        url = page_of("grant_change", grant.pk)
        prefixes = {
            f"view_{kind}token": sha256(f"clear-{kind}").hex()[:8] for kind in ("access", "refresh")
        }
        for may in ([], ["view_accesstoken"], ["view_refreshtoken"], list(prefixes)):
            text = who("view_grant", *may).get(url).content.decode()
            seen = [name for name, prefix in prefixes.items() if prefix in text]
            assert seen == may

    def test_its_events_and_calls(self, who, grant):
        url = page_of("grant_change", grant.pk)
        titles = {
            tuple(may): {str(one["title"]) for one in page.context["timeline"]}
            for may in ([], ["view_grantevent"], ["view_call"])
            if (page := who("view_grant", *may).get(url))
        }
        assert titles == {
            (): set(),
            ("view_grantevent",): {"Grant created", "Grant merged"},
            ("view_call",): {"Call refused"},
        }


class TestAPerson:
    def test_nothing_but_grants(self, who, grant):
        page = who("view_grant").get(page_of("grant_person", grant.pk))
        assert (page.context["calls"], page.context["events"]) == ([], [])
        link = page_of("client_change", grant.client_id)
        assert link not in page.content.decode()
        page = who("view_grant", "view_client").get(page_of("grant_person", grant.pk))
        assert link in page.content.decode()


class TestAReceipt:
    def test_links_only_to_what_opens(self, who, world, grant):
        event = GrantEvent.objects.get()
        url = page_of("grantevent_change", event.pk)
        pages = {
            "view_grant": page_of("grant_change", grant.pk),
            "view_client": page_of("client_change", world.client.pk),
            "view_service": page_of("service_change", world.service.pk),
        }
        for may in ([], *([name] for name in pages)):
            text = who("view_grantevent", *may).get(url).content.decode()
            assert [name for name, link in pages.items() if link in text] == may
        assert "Budget App" not in who("view_grantevent").get(url).content.decode()


class TestAJob:
    def test_its_check_page(self, who, world, grant):
        sent = {"service": world.service.pk, "subject": "user-1"}
        url = reverse("admin:grant_management_sweep_check")
        text = who("view_sweep", "start_sweep").post(url, sent).content.decode()
        assert grant.grant_id not in text
        text = who("view_sweep", "start_sweep", "view_grant").post(url, sent).content.decode()
        assert grant.grant_id in text

    def test_its_events_and_reports(self, who, world, grant):
        wanted = GrantFilter(world.service, subject="user-1")
        sweep = Sweep.objects.start(wanted, BY_TEST, Reason("other"), expected=1)
        list(sweep.work(10))
        page = who("view_sweep").get(page_of("sweep_change", sweep.pk))
        text = page.content.decode()
        csv = page_of("sweep_report.csv", sweep.pk)
        assert csv not in text
        assert reverse("admin:grant_management_grantevent_changelist") not in text
        assert who("view_sweep").get(csv).status_code == 403
        assert who("view_sweep", "view_grantevent").get(csv).status_code == 200


class TestAService:
    def test_counts_of_clients_and_who_cut_it_off(self, who, world, grant):
        world.service.move_cut_off(BY_TEST, Reason("other"))
        page = who("view_service").get(page_of("service_change", world.service.pk))
        facts = {str(name) for name, _value in page.context["facts"]}
        assert not facts & {"Clients", "Cut off by"}
        page = who("view_service", "view_client", "view_grantevent").get(page.request["PATH_INFO"])
        assert {str(name) for name, _value in page.context["facts"]} >= {"Clients", "Cut off by"}


class TestTheOverview:
    def test_of_counters_alone(self, who, world, grant):
        world.service.call_log_size = 10
        world.service.save()
        world.client.move_cut_off(BY_TEST, Reason("other"))
        url = reverse("admin:grant_management_dailycount_changelist")
        page = who("view_dailycount").get(url)
        text = page.content.decode()
        for hidden in ("app-1", "Budget App", "A281305"):
            assert hidden not in text
        names = ("grant", "call", "grantevent", "client", "accesstoken")
        text = who("view_dailycount", *(f"view_{name}" for name in names)).get(url).content.decode()
        for shown in ("Budget App", "A281305"):
            assert shown in text
