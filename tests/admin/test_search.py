"""The search: any kind of row by one text, which goes nowhere."""

import logging
import uuid

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from grant_management.models import (
    Actor,
    ApiToken,
    Call,
    Grant,
    GrantEvent,
    GrantFilter,
    OrganizationEvent,
    Reason,
    Sweep,
)
from grant_management.protocol.digests import sha256

from ..world import make_operator, make_world, now
from .pages import page_of

URL = reverse("admin:grant_management_grant_find")
BY = Actor.operator("ann")


@pytest.fixture
def grant(world):
    made = world.grant()
    world.token(made, value="clear-access")
    world.refresh_token(made, value="clear-refresh")
    return made


@pytest.fixture
def search(admin_client):
    """The URLs of what a text finds, by kind."""

    def ask(text):
        page = admin_client.post(URL, {"text": text})
        assert page.status_code == 200
        assert "no-store" in page["Cache-Control"]
        found = page.context.get("groups") or []
        return {str(title): [hit.url for hit in hits] for title, hits in found}

    return ask


class TestWhatIsFound:
    def test_a_person(self, search, world, grant):
        world.grant(subject="user-2")
        assert search("user-1") == {"People": [page_of("grant_person", grant.pk)]}
        assert search(" user-1 ") == search("user-1")
        assert search("user") == {}

    def test_a_grant(self, search, world, grant):
        assert search(grant.grant_id) == {"Grants": [page_of("grant_change", grant.pk)]}

    @pytest.mark.parametrize("value", ["clear-access", "clear-refresh", " clear-access\t"])
    def test_a_token(self, search, grant, value):
        """It looks like a grant ID; its digest is looked up as well."""
        assert search(value) == {"Tokens": [page_of("grant_change", grant.pk)]}

    @pytest.mark.parametrize("length", [6, 7, 8, 63, 64])
    @pytest.mark.parametrize("change", [str.lower, str.upper])
    def test_a_digest_prefix(self, search, grant, length, change):
        digest = sha256("clear-access").hex()[:length]
        assert search(change(digest)) == {"Tokens": [page_of("grant_change", grant.pk)]}

    def test_not_another_digest(self, search, grant):
        digest = sha256("clear-access").hex()
        other = digest[:7] + ("0" if digest[7] != "0" else "1")
        assert search(other) == {}
        assert search(digest[:5]) == {}

    def test_a_token_without_a_grant(self, search, world):
        world.token(value="of-no-grant")
        assert list(search("of-no-grant")) == ["Tokens"]

    @pytest.mark.parametrize("text", ["app-1", "Budget App", "budget app"])
    def test_a_client(self, search, world, text):
        assert search(text) == {"Clients": [page_of("client_change", world.client.pk)]}

    def test_exact_matches_come_first(self, search, world):
        longer = world.client_named("app-2", name="Budget App Pro")
        found = search("Budget App")
        assert list(found) == ["Clients", "Clients whose names begin with it"]
        assert found["Clients whose names begin with it"] == [page_of("client_change", longer.pk)]
        assert list(search("budget")) == ["Clients whose names begin with it"]

    def test_an_event(self, search, grant):
        grant.revoke(BY, Reason("other", "", "T-1"))
        event = GrantEvent.objects.get()
        here = {"Events": [page_of("grantevent_change", event.pk)]}
        assert search("T-1") == here
        assert search(str(event.pk)) == here
        assert search(event.pk.hex) == here

    def test_an_event_of_an_organization(self, search, world):
        number = world.service.organization_id
        event = OrganizationEvent.objects.record("imported", number, now(), BY, ticket="T-2")
        here = {"Organization events": [page_of("organizationevent_change", event.pk)]}
        assert search("T-2") == search(str(event.pk)) == here

    def test_the_events_of_somebody_without_a_grant(self, search, world):
        GrantEvent.objects.record("revoked", world.service.pk, now(), BY, subject="gone")
        assert list(search("gone")) == ["Events"]

    def test_a_call_and_a_job(self, search, world):
        call = Call.objects.create(service=world.service, at=now(), code="A277001")
        assert search(str(call.pk)) == {"Calls": [page_of("call_change", call.pk)]}
        wanted = GrantFilter(world.service, subject="user-1")
        sweep = Sweep.objects.start(wanted, BY, Reason("other"))
        found = search(str(sweep.pk))
        assert found["Jobs"] == [page_of("sweep_change", sweep.pk)]
        assert len(found["Events"]) == 1

    def test_a_code(self, search, db):
        codes = reverse("admin:grant_management_call_codes")
        assert search("a281305") == {"Result codes": [f"{codes}#A281305"]}

    def test_an_api_token(self, search, world):
        token = ApiToken.objects.get()
        here = {"API tokens": [page_of("apitoken_change", token.pk)]}
        assert search(world.api_token) == search(token.prefix) == here
        assert search(token.digest_prefix) == here

    def test_in_all_services(self, search, world, grant):
        other = make_world(name="Other")
        theirs = other.grant()
        found = search("user-1")
        assert len(found["People"]) == 1
        assert len(search("app-1")["Clients"]) == 2
        assert search(theirs.grant_id) == {"Grants": [page_of("grant_change", theirs.pk)]}

    def test_the_grants_of_a_person_are_there_at_once(self, admin_client, world, grant):
        page = admin_client.post(URL, {"text": "user-1"}).content.decode()
        assert f'name="one" value="{grant.pk}"' in page


class TestWhereItGoes:
    SECRET = "a-token-that-nobody-may-see"

    def test_it_is_not_shown_again(self, admin_client, world, caplog):
        caplog.set_level(logging.DEBUG)
        grant = world.grant()
        world.token(grant, value=self.SECRET)
        for text in (self.SECRET, f"{self.SECRET}-unknown"):
            page = admin_client.post(URL, {"text": text})
            assert self.SECRET not in page.content.decode()
            assert self.SECRET not in str(page.headers)
        assert self.SECRET not in caplog.text

    def test_a_query_string_is_not_read(self, admin_client, world):
        world.token(world.grant(), value=self.SECRET)
        page = admin_client.get(URL, {"text": self.SECRET})
        assert "groups" not in page.context
        assert "no-store" in page["Cache-Control"]

    def test_an_error_leaves_nothing(self, admin_client, world, monkeypatch):
        def fail(*arguments):
            raise ValueError("broken")

        monkeypatch.setattr("grant_management.admin.sought.sha256", fail)
        with pytest.raises(ValueError, match="broken") as error:
            admin_client.post(URL, {"text": self.SECRET})
        frames = [entry.frame for entry in error.traceback if "grant_management" in str(entry.path)]
        assert frames
        assert all(self.SECRET not in str(frame.f_locals) for frame in frames)

    def test_it_says_where_it_looked(self, admin_client, world):
        make_world(name="Other")
        page = admin_client.post(URL, {"text": "unknown"}).content.decode()
        assert "Nothing was found." in page
        assert "by exact match, in 2 services" in page
        for words in ("a subject", "a grant ID", "a client ID or name", "a ticket", "its digest"):
            assert words in page

    @pytest.mark.parametrize("text", ["", "   ", "x" * 4_097, "a\x00b", "%", "_", "\U0010ffff"])
    def test_odd_texts(self, admin_client, world, text):
        world.grant()
        page = admin_client.post(URL, {"text": text})
        assert page.status_code == 200
        assert not page.context.get("groups")


class TestWhoFindsWhat:
    @pytest.fixture
    def ann(self, client, django_user_model, world):
        """An operator of one organization, with these permissions."""
        user = make_operator(django_user_model, organization=world.service.organization)
        client.force_login(user)

        def may(*codenames):
            user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
            return client

        return may

    def test_nothing_of_another_organization(self, ann, world):
        other = make_world(name="Theirs")
        grant = other.grant(subject="theirs")
        world.grant(subject="shared"), other.grant(subject="shared")
        other.token(grant, value="their-token")
        grant.revoke(BY, Reason("other", "", "T-9"))
        event = GrantEvent.objects.get()
        client = ann(
            "view_grant", "view_client", "view_accesstoken", "view_grantevent", "view_apitoken"
        )
        texts = ["theirs", grant.grant_id, "their-token", sha256("their-token").hex()[:8], "T-9"]
        for text in (*texts, str(event.pk), other.api_token):
            assert client.post(URL, {"text": text}).context["groups"] == [], text
        page = client.post(URL, {"text": "shared"})
        assert "Theirs" not in page.content.decode()

    def test_only_kinds_that_they_may_see(self, ann, world, grant):
        page = ann("view_client").post(URL, {"text": "user-1"})
        assert page.context["groups"] == []
        assert [str(kind.title) for kind in page.context["kinds"]] == ["Clients"]
        page = ann("view_grant").post(URL, {"text": "user-1"})
        assert 'name="one"' not in page.content.decode()

    def test_nobody_else(self, ann, client):
        assert ann().post(URL, {"text": "x"}).status_code == 403
        client.logout()
        assert client.post(URL, {"text": "x"}).status_code == 302


def test_a_key_that_is_none(search, world):
    assert search(str(uuid.uuid4())) == {}
    assert Grant.objects.count() == 0
