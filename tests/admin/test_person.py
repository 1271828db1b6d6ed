"""A person's page, and revoking one, several or all of their grants."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from grant_management.admin import people
from grant_management.db import keyset
from grant_management.models import Actor, Call, Grant, GrantEvent, Reason

from ..world import make_operator, make_world, now

BY = Actor.operator("ann")
WHY = {"confirmed": "1", "reason": "requested by user", "note": "called", "ticket": "T-1"}


def url(page, key):
    return reverse(f"admin:grant_management_grant_{page}", args=[key])


@pytest.fixture
def grants(world):
    """Two of one client, one of another; and one of somebody else."""
    other = world.client_named("app-2", name="Tax Helper")
    world.grant(subject="user-2")
    return [world.grant(), world.grant(), world.grant(client=other)]


def revoked():
    return {grant.pk for grant in Grant.objects.exclude(revoked_at=None)}


class TestThePage:
    def test_grants_by_client(self, admin_client, world, grants):
        page = admin_client.get(url("person", grants[0].pk))
        groups = page.context["groups_of_grants"]
        assert [(str(one["client"]), len(one["grants"])) for one in groups] == [
            ("Budget App", 2), ("Tax Helper", 1),
        ]  # fmt: skip
        text = page.content.decode()
        for grant in grants:
            assert url("change", grant.pk) in text
        assert "user-2" not in text
        for words in ("openid", "Last used", "Expires", "Created"):
            assert words in text

    def test_any_grant_leads_there(self, admin_client, grants):
        pages = [admin_client.get(url("person", grant.pk)) for grant in grants]
        assert len({len(page.context["groups_of_grants"]) for page in pages}) == 1

    def test_calls_and_events(self, admin_client, world, grants):
        for number in range(7):
            code = "A281305" if number else "A277001"
            Call.objects.create(
                service=world.service, at=now(), code=code, grant_id=grants[0].grant_id
            )
        Call.objects.create(service=world.service, at=now(), code="A277001", grant_id="other")
        grants[1].revoke(BY, Reason("other", "", "T-7"))
        page = admin_client.get(url("person", grants[0].pk))
        assert len(page.context["calls"]) == 5
        assert [event["title"] for event in page.context["events"]] == ["Grant revoked"]
        codes = reverse("admin:grant_management_call_codes")
        assert f'href="{codes}#A281305"' in page.content.decode()
        assert "T-7" in page.content.decode()

    def test_older_events(self, admin_client, world, grants):
        for _ in range(21):
            grants[0].record("merged", now(), BY)
        page = admin_client.get(url("person", grants[0].pk))
        assert len(page.context["events"]) == 20
        older = admin_client.get(url("person", grants[0].pk), {"events": page.context["older"]})
        assert len(older.context["events"]) == 1
        assert older.context["older"] == ""

    def test_no_subject_is_in_a_url(self, admin_client, world, grants):
        text = admin_client.get(url("person", grants[0].pk)).content.decode()
        assert not re.findall(r'(?:href|action)="[^"]*user-1', text)

    def test_the_same_subject_elsewhere(self, admin_client, world, grants):
        make_world(name="Other").grant()
        page = admin_client.get(url("person", grants[0].pk))
        assert "At another service it may be another person." in page.content.decode()
        page = admin_client.get(url("person", grants[0].pk), {"service": world.service.pk})
        assert len(page.context["groups_of_grants"]) == 2
        assert "another person" not in page.content.decode()

    def test_a_grant_of_nobody(self, admin_client, world):
        assert admin_client.get(url("person", world.grant(subject=None).pk)).status_code == 404

    def test_people(self, admin_client, grants):
        page = admin_client.get(reverse("admin:grant_management_grant_people"))
        assert {grant.subject for grant, *_ in page.context["people"]} == {"user-1", "user-2"}
        assert all("person" in link for _, link, _ in page.context["people"])

    def test_all_calls_and_all_events(self, admin_client, grants):
        page = admin_client.get(url("person", grants[0].pk))
        assert set(page.context["lists"]) == {"call", "grantevent"}
        for link in page.context["lists"].values():
            assert "user-1" not in link
            shown = admin_client.get(link)
            assert [one.value for one, _ in shown.context["applied"]] == ["user-1"]
            assert f'href="{link}"' in page.content.decode()


class TestPeople:
    """Pages by key: each person once, and no subject in an address."""

    PEOPLE = reverse("admin:grant_management_grant_people")

    def walk(self, admin_client, way="next", **query):
        found = []
        while True:
            page = admin_client.get(self.PEOPLE, query)
            found.append([grant.subject for grant, *_ in page.context["people"]])
            assert not re.search(r'href="[^"]*=user', page.content.decode())
            cursor = getattr(page.context["page"], way)
            if not cursor:
                return found
            assert len(found) < 20
            query |= {{"next": "after", "previous": "before"}[way]: cursor}

    @pytest.fixture
    def many(self, world, monkeypatch):
        """Seven people in the order of their newest grants, some with several."""
        monkeypatch.setattr(keyset, "SIZE", 3)
        monkeypatch.setattr(people, "SIZE", 3)
        at = now()
        for number in range(7):
            for age in range(number % 3 + 1):
                made = at - timedelta(minutes=number + 100 * age)
                world.grant(subject=f"user-{number}", created_at=made)
        world.grant(subject=None)
        return [f"user-{number}" for number in range(7)]

    def test_the_newest_first(self, admin_client, world, many):
        pages = self.walk(admin_client)
        assert len(pages) > 2
        assert [one for page in pages for one in page] == many

    def test_by_subject(self, admin_client, world, many):
        pages = self.walk(admin_client, sort="subject")
        assert pages == [many[:3], many[3:6], many[6:]]

    def test_by_subject_and_back(self, admin_client, world, many):
        last = Grant.objects.get(subject="user-6", created_at=newest_of("user-6")).pk
        pages = self.walk(admin_client, "previous", sort="subject", before=str(last))
        assert pages == [many[3:6], many[:3]]

    def test_of_several_services(self, admin_client, world, many):
        """Only one of them has an index by subject."""
        other = make_world(name="Other")
        other.grant(subject="user-0")
        page = admin_client.get(self.PEOPLE, {"sort": "subject"})
        assert not page.context["is_sorted"]
        query = {"sort": "subject", "service": other.service.pk}
        page = admin_client.get(self.PEOPLE, query)
        assert [grant.subject for grant, *_ in page.context["people"]] == ["user-0"]
        both = [one for page in self.walk(admin_client) for one in page]
        assert sorted(both) == sorted([*many, "user-0"])

    @pytest.mark.parametrize("cursor", ["x", "0190a0a0-0000-7000-8000-000000000000", ""])
    def test_a_cursor_that_is_none(self, admin_client, world, many, cursor):
        page = admin_client.get(self.PEOPLE, {"sort": "subject", "after": cursor})
        assert [grant.subject for grant, *_ in page.context["people"]] == many[:3]


def newest_of(subject):
    rows = Grant.objects.filter(subject=subject).order_by("-created_at")
    return rows.values_list("created_at", flat=True).first()


class TestRevoking:
    @pytest.fixture
    def preview(self, admin_client, grants):
        def ask(**data):
            return admin_client.post(url("revoke_many", grants[0].pk), data)

        return ask

    @pytest.mark.parametrize(
        ("data", "number"),
        [
            (lambda grants: {"one": grants[1].pk, "grant": [grants[0].pk]}, 1),
            (lambda grants: {"these": "selected", "grant": [grants[0].pk, grants[2].pk]}, 2),
            (lambda grants: {"these": "all"}, 3),
        ],
    )
    def test_the_preview_revokes_nothing(self, preview, world, grants, data, number):
        world.token(grants[0]), world.refresh_token(grants[0])
        page = preview(**data(grants))
        assert len(page.context["keys"]) == number
        assert "It cannot be undone." in page.content.decode()
        assert not GrantEvent.objects.exists()

    def test_it_counts_the_tokens(self, preview, world, grants):
        world.token(grants[0]), world.token(grants[2]), world.refresh_token(grants[0])
        world.token(grants[1], revoked_at=now())
        text = preview(these="all").content.decode()
        assert "Grants: 3; access tokens: 2; refresh tokens: 1." in text
        world.service.revoke_access_tokens = False
        world.service.save()
        text = preview(these="all").content.decode()
        assert "access tokens: 0; refresh tokens: 1." in text
        assert "Access tokens that stay valid until they expire: 2." in text

    def test_one_reason_one_receipt(self, admin_client, preview, grants):
        keys = preview(these="all").context["keys"]
        response = preview(grant=keys, **WHY)
        assert revoked() == {grant.pk for grant in grants}
        events = GrantEvent.objects.all()
        assert {(e.kind, e.actor, e.reason, e.note, e.ticket) for e in events} == {
            ("revoked", "admin", "requested by user", "called", "T-1")
        }
        assert len({event.job for event in events}) == 1
        receipt = admin_client.get(response.url)
        text = receipt.content.decode()
        for words in ("This page is the receipt.", "3 grants revoked", "T-1", "called", "UTC"):
            assert words in text
        for event in events:
            assert event.grant_id in text
            assert str(event.pk) in text
        again = admin_client.get(response.url)
        assert again.status_code == 200

    def test_the_receipt_has_the_numbers_of_tokens(self, admin_client, preview, world, grants):
        world.token(grants[0]), world.token(grants[2]), world.refresh_token(grants[0])
        response = preview(grant=preview(these="all").context["keys"], **WHY)
        receipt = admin_client.get(response.url)
        shown = {str(name): str(value) for name, value in receipt.context["receipt"]}
        assert [shown[f"{name} stopped"] for name in ("Grants", "Access tokens", "Refresh tokens")] == [
            "3", "2", "1",
        ]  # fmt: skip

    def test_it_is_one_row_of_the_events(self, admin_client, preview, grants):
        preview(grant=preview(these="all").context["keys"], **WHY)
        page = admin_client.get(reverse("admin:grant_management_grantevent_changelist"))
        job = GrantEvent.objects.first().job
        assert page.content.decode().count(f"job={job}") == 1
        event = GrantEvent.objects.get(pk=job)
        text = admin_client.get(
            reverse("admin:grant_management_grantevent_change", args=[event.pk])
        ).content.decode()
        assert url("receipt", job) in text

    def test_only_those_that_were_chosen(self, preview, grants):
        preview(grant=[grants[1].pk], **WHY)
        assert revoked() == {grants[1].pk}

    def test_not_those_of_others(self, preview, world, grants):
        theirs = Grant.objects.get(subject="user-2")
        assert preview(grant=[theirs.pk], **WHY).status_code == 302
        preview(grant=[theirs.pk, grants[0].pk, "x", "0" * 32], **WHY)
        assert revoked() == {grants[0].pk}

    def test_twice(self, preview, grants):
        preview(grant=[grants[0].pk], **WHY)
        assert preview(grant=[grants[0].pk], **WHY).url == url("person", grants[0].pk)
        assert GrantEvent.objects.count() == 1

    @pytest.mark.parametrize("change", [{"reason": ""}, {"reason": "x"}, {"ticket": "x" * 256}])
    def test_a_reason_is_needed(self, preview, grants, change):
        page = preview(grant=[grants[0].pk], **(WHY | change))
        assert page.status_code == 200
        assert page.context["form"].errors
        assert revoked() == set()

    def test_nothing_chosen(self, admin_client, preview, grants):
        response = preview(these="selected")
        page = admin_client.get(response.url)
        assert "Choose at least one grant" in page.content.decode()

    def test_more_than_a_page_can_do(self, admin_client, preview, monkeypatch):
        monkeypatch.setattr("grant_management.admin.revoke_many.MOST", 2)
        page = admin_client.get(preview(these="all").url)
        assert "Revoke by filter" in page.content.decode()
        assert revoked() == set()

    def test_looking_revokes_nothing(self, admin_client, grants):
        response = admin_client.get(
            url("revoke_many", grants[0].pk), {"grant": grants[0].pk, **WHY}
        )
        assert response.status_code == 302
        assert revoked() == set()

    def test_only_the_service_in_view(self, preview, world, grants):
        make_world(name="Other").grant()
        assert len(preview(these="all").context["keys"]) == 4
        assert len(preview(these="all", service=world.service.pk).context["keys"]) == 3


class TestWho:
    @pytest.mark.parametrize(
        ("permissions", "page", "post"),
        [
            ([], 403, 403),
            (["view_grant"], 200, 403),
            (["revoke_grant"], 403, 403),
            (["view_grant", "revoke_grant"], 200, 200),
        ],
    )
    def test_permissions(self, client, django_user_model, grants, permissions, page, post):
        user = make_operator(django_user_model)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        seen = client.get(url("person", grants[0].pk))
        assert seen.status_code == page
        assert (b"Revoke" in seen.content) == (post == 200)
        sent = client.post(url("revoke_many", grants[0].pk), {"these": "all"})
        assert sent.status_code == post

    def test_another_organization(self, client, django_user_model, world, grants):
        other = make_world(name="Theirs")
        theirs = other.grant()
        user = make_operator(django_user_model, organization=world.service.organization)
        names = ["view_grant", "revoke_grant", "view_grantevent", "view_call"]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)
        for page in ("person", "revoke_many"):
            assert client.post(url(page, theirs.pk), {"these": "all"}).status_code == 404
        page = client.get(url("person", grants[0].pk))
        assert "Theirs" not in page.content.decode()
        client.post(url("revoke_many", grants[0].pk), {"grant": [theirs.pk, grants[0].pk], **WHY})
        assert revoked() == {grants[0].pk}
        job = GrantEvent.objects.get().job
        assert client.get(url("receipt", job)).status_code == 200
        user.user_permissions.clear()
        assert client.get(url("receipt", job)).status_code in (302, 403)

    def test_the_receipt_of_another_organization(self, client, django_user_model, world, grants):
        grants[0].revoke(BY, Reason("other"), job=grants[0].pk)
        user = make_operator(django_user_model, organization=make_world().service.organization)
        names = ["view_grant", "view_grantevent"]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)
        assert client.get(url("receipt", grants[0].pk)).status_code == 404
