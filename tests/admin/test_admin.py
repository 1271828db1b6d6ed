"""The plain admin: shows, hides credentials, and revokes by the one path."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from grant_management import lifecycle
from grant_management.models import (
    AccessToken,
    Actor,
    ApiToken,
    DPoPNonce,
    Grant,
    GrantEvent,
    OrganizationEvent,
    Reason,
    RefreshToken,
)
from grant_management.protocol.content import Content
from grant_management.protocol.digests import sha256

from ..world import ENDPOINT, Key, make_operator, make_world, now, organization_token

MODELS = [
    "organization",
    "service",
    "client",
    "apitoken",
    "grant",
    "accesstoken",
    "refreshtoken",
    "dpopnonce",
    "grantevent",
    "organizationevent",
]


@pytest.fixture
def grant(world):
    grant = world.grant()
    world.token(grant, value="clear-access")
    world.refresh_token(grant, value="clear-refresh")
    DPoPNonce.objects.at(world.service, now())
    number, by = world.service.organization_id, Actor.command("test")
    OrganizationEvent.objects.record("imported", number, now(), by, details={"source": "x"})
    return grant


def pages(name):
    from django.apps import apps

    model = apps.get_model("grant_management", name)
    yield reverse(f"admin:grant_management_{name}_changelist")
    for row in model.objects.all():
        yield reverse(f"admin:grant_management_{name}_change", args=[row.pk])


@pytest.mark.parametrize("name", MODELS)
def test_every_page_opens_and_holds_no_credential(admin_client, world, grant, name):
    world.client.move_cut_off(Actor.operator("ann"), Reason("other"))
    digests = [
        bytes(row.digest)
        for model in (AccessToken, RefreshToken, ApiToken)
        for row in model.objects.all()
    ]
    seen = list(pages(name))
    assert len(seen) >= 2
    for url in seen:
        response = admin_client.get(url)
        assert response.status_code == 200
        text = response.content.decode()
        for secret in ("clear-access", "clear-refresh", world.api_token):
            assert secret not in text
        for digest in digests:
            assert digest.hex() not in text
            assert str(digest) not in text


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_added_changed_or_deleted(admin_client, world, grant, name):
    world.client.move_cut_off(Actor.operator("ann"), Reason("other"))
    change = list(pages(name))[-1]
    assert admin_client.get(reverse(f"admin:grant_management_{name}_add")).status_code == 403
    assert admin_client.post(change, {}).status_code == 403
    delete = change.replace("/change/", "/delete/")
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    listing = admin_client.get(reverse(f"admin:grant_management_{name}_changelist"))
    assert b"delete_selected" not in listing.content


def revoke_url(grant):
    return reverse("admin:grant_management_grant_revoke", args=[grant.pk])


def test_revoke_by_hand(admin_client, grant, call):
    page = admin_client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
    assert revoke_url(grant).encode() in page.content
    said = admin_client.get(revoke_url(grant)).content.decode()
    for line in (
        "Budget App for user-1",
        "This stops now. Grants: 1; access tokens: 1; refresh tokens: 1.",
        "The last access token expires at",
        "Budget App loses: openid",
        "cannot be undone",
    ):
        assert line in said
    response = admin_client.post(
        revoke_url(grant),
        {"reason": "requested by user", "note": "called", "ticket": "T-1"},
        follow=True,
    )
    event = GrantEvent.objects.get()
    assert "This page is the receipt." in response.content.decode()
    assert response.redirect_chain[-1][0].endswith(f"grantevent/{event.pk}/change/")
    page = admin_client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
    assert revoke_url(grant).encode() not in page.content
    assert b"called" in page.content
    assert (event.kind, event.actor_kind, event.actor) == ("revoked", "operator", "admin")
    assert (event.reason, event.note, event.ticket) == ("requested by user", "called", "T-1")
    assert (
        call(gmAction="QUERY", grantId=grant.grant_id, accessToken="clear-access").code == "A280303"
    )


def test_revoking_twice_writes_one_event(admin_client, grant):
    for _ in range(2):
        response = admin_client.post(revoke_url(grant), {"reason": "other"}, follow=True)
    assert "Already done by admin, at" in response.content.decode()
    assert GrantEvent.objects.count() == 1


@pytest.mark.parametrize(
    "data", [{}, {"reason": "because"}, {"reason": "other", "ticket": "x" * 256}]
)
def test_a_reason_is_needed(admin_client, grant, data):
    assert admin_client.post(revoke_url(grant), data).status_code == 200
    assert not GrantEvent.objects.exists()


def test_looking_at_the_page_revokes_nothing(admin_client, grant):
    admin_client.get(revoke_url(grant), {"reason": "other"})
    assert Grant.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        ([], 403),
        (["view_grant"], 403),
        (["revoke_grant"], 403),
        (["view_grant", "revoke_grant"], 302),
    ],
)
def test_who_may_revoke(client, django_user_model, grant, permissions, status):
    user = make_operator(django_user_model)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    assert client.post(revoke_url(grant), {"reason": "other"}).status_code == status
    assert GrantEvent.objects.exists() == (status == 302)
    page = client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
    if page.status_code == 200:
        assert (revoke_url(grant).encode() in page.content) == (
            status == 302 and not Grant.objects.get().revoked_at
        )


def test_strangers_log_in_first(client, grant):
    assert client.post(revoke_url(grant), {"reason": "other"}).status_code == 302
    assert not GrantEvent.objects.exists()


@pytest.mark.parametrize("page", ["revoke", "change"])
@pytest.mark.parametrize("key", ["nowhere", "00000000-0000-7000-8000-000000000000"])
def test_unknown_grant(admin_client, world, page, key):
    url = reverse(f"admin:grant_management_grant_{page}", args=[key])
    assert admin_client.get(url).status_code == 404


def test_search_is_exact(admin_client, world, grant):
    url = reverse("admin:grant_management_grant_changelist")
    for term, found in (
        (grant.grant_id, 1),
        ("user-1", 1),
        ("app-1", 1),
        ("user", 0),
        (grant.grant_id[:8], 0),
    ):
        page = admin_client.get(url, {"q": term})
        assert len(page.context["list"].rows) == found


def test_a_digest_is_shown_in_part(admin_client, world, grant):
    page = admin_client.get(reverse("admin:grant_management_accesstoken_changelist"))
    assert sha256("clear-access").hex()[:8] in page.content.decode()


class TestTheGrantPage:
    def page(self, admin_client, grant, **query):
        url = reverse("admin:grant_management_grant_change", args=[grant.pk])
        return admin_client.get(url, query)

    def test_shows_all_that_was_granted(self, admin_client, world):
        grant = world.grant(
            scopes='[{"scope":"read","resource":["https://rs.example.com"]}]',
            claims='["email"]',
            authorization_details='[{"type":"account_information","n":1}]',
        )
        text = self.page(admin_client, grant).content.decode()
        for shown in (
            '<h3><bdi class="gm-long">https://rs.example.com</bdi></h3>',
            "<li><code>read</code>",
            "<h3>Claims</h3><p>email",
            '<h3><bdi class="gm-long">account_information</bdi></h3>',
        ):
            assert shown in text

    def test_pages_its_tokens(self, admin_client, world, grant):
        for _ in range(30):
            world.token(grant)
        page = self.page(admin_client, grant)
        assert len(page.context["tokens"]) == 21
        assert page.context["more_tokens"]
        url = reverse("admin:grant_management_accesstoken_changelist")
        assert f"{url}?service={world.service.pk}&amp;q={grant.grant_id}" in page.content.decode()
        world.token(world.grant())
        listed = admin_client.get(url, {"service": world.service.pk, "q": grant.grant_id})
        assert listed.context["list"].count == 31

    def test_timeline_shows_changes_as_a_diff(self, admin_client, world):
        held = Content.read([{"scope": "read"}], ["email"], None)
        consented = Content.read([{"scope": "read write", "resource": ["https://a"]}], None, None)
        made = lifecycle.complete(
            lifecycle.begin(world.client, "u", "create", ""), held, active=True
        )
        lifecycle.complete(lifecycle.begin(world.client, "u", "replace", made.grant_id), consented)
        replaced, created = self.page(admin_client, made).context["timeline"]
        assert (created["added"], created["removed"]) == (["email", "read"], [])
        assert replaced["added"] == ["read https://a", "write https://a"]
        assert replaced["removed"] == ["email", "read"]

    def test_timeline_of_a_grant_that_was_imported(self, admin_client, world, grant):
        """It began elsewhere, so there is no event of that."""
        (created,) = self.page(admin_client, grant).context["timeline"]
        assert (created["title"], created["at"]) == ("Grant created", grant.created_at)
        assert "before the events" in created["actor"]

    def test_says_what_stays(self, admin_client, world, grant):
        world.service.revoke_access_tokens = False
        world.service.save()
        said = admin_client.get(revoke_url(grant)).content.decode()
        assert "Grants: 1; access tokens: 0; refresh tokens: 1." in said
        assert "Access tokens that stay valid until they expire: 1." in said

    def test_costs_the_same_for_many_tokens(
        self, admin_client, world, grant, django_assert_max_num_queries
    ):
        for _ in range(30):
            world.token(grant)
        with django_assert_max_num_queries(25):
            self.page(admin_client, grant)


class TestClients:
    def do(self, admin_client, name, row, model="client"):
        url = reverse(f"admin:grant_management_{model}_{name}", args=[row.pk])
        assert admin_client.get(url).status_code == 200
        return admin_client.post(url, {"reason": "compromised key"}, follow=True).content.decode()

    def test_lock_and_unlock(self, admin_client, world, call):
        grant = world.grant()
        members = {
            "gmAction": "QUERY",
            "grantId": grant.grant_id,
            "accessToken": world.token(grant),
        }
        assert "receipt" in self.do(admin_client, "lock", world.client)
        assert call(**members).code == "A280304"
        assert "Already done by admin" in self.do(admin_client, "lock", world.client)
        assert "receipt" in self.do(admin_client, "unlock", world.client)
        assert call(**members).action == "OK"
        assert GrantEvent.objects.count() == 2

    @pytest.mark.parametrize("model", ["client", "service"])
    def test_cut_off(self, admin_client, world, call, model):
        grant = world.grant()
        members = {
            "gmAction": "QUERY",
            "grantId": grant.grant_id,
            "accessToken": world.token(grant),
        }
        assert "receipt" in self.do(admin_client, "cut-off", getattr(world, model), model)
        assert call(**members).code == "A280302"
        assert GrantEvent.objects.get().reason == "compromised key"

    @pytest.mark.parametrize(
        ("model", "name", "permission"),
        [
            ("client", "lock", "lock_client"),
            ("client", "unlock", "lock_client"),
            ("client", "cut-off", "cut_off_client"),
            ("service", "cut-off", "cut_off_service"),
            ("grant", "revoke", "revoke_grant"),
        ],
    )
    def test_each_action_has_a_permission(
        self, client, django_user_model, world, grant, model, name, permission
    ):
        user = make_operator(django_user_model)
        row = {"client": world.client, "service": world.service, "grant": grant}[model]
        url = reverse(f"admin:grant_management_{model}_{name}", args=[row.pk])
        for given, status in (
            ([f"view_{model}"], 403),
            ([permission], 403),
            ([f"view_{model}", permission], 200),
        ):
            user.user_permissions.set(Permission.objects.filter(codename__in=given))
            client.force_login(user)
            assert client.get(url).status_code == status


class TestApiTokens:
    ISSUE = "admin:grant_management_apitoken_issue"

    def confirmed(self, admin_client, url):
        return {"once": self.once(admin_client, url), "reason": "other"}

    def once(self, admin_client, url):
        return admin_client.get(url).context["form"].initial["once"]

    def test_the_value_is_shown_once(self, admin_client, world, post):
        url = reverse(self.ISSUE)
        data = {
            "once": self.once(admin_client, url),
            "organization": world.service.organization_id,
            "service": world.service.pk,
            "description": "CI",
        }
        shown = admin_client.post(url, data)
        assert "no-store" in shown["Cache-Control"]
        value = shown.context["value"]
        assert value in shown.content.decode()
        assert post(f"/api/{world.service.pk}/gm", {}, api_token=value).status == 200
        token = ApiToken.objects.get(description="CI")
        assert (token.created_by, token.prefix) == ("admin", value[:8])
        again = admin_client.post(url, data, follow=True)
        assert "This form was already sent" in again.content.decode()
        assert value not in again.content.decode()
        assert ApiToken.objects.count() == 2

    def test_rotate_and_revoke(self, admin_client, world, post):
        token = ApiToken.objects.get()
        path = f"/api/{world.service.pk}/gm"
        rotate = reverse("admin:grant_management_apitoken_rotate", args=[token.pk])
        value = admin_client.post(rotate, self.confirmed(admin_client, rotate)).context["value"]
        assert post(path, {}, api_token=world.api_token).status == 401
        assert post(path, {}, api_token=value).status == 200
        page = admin_client.get(reverse("admin:grant_management_apitoken_change", args=[token.pk]))
        assert rotate.encode() in page.content
        assert value.encode() not in page.content
        revoke = reverse("admin:grant_management_apitoken_revoke", args=[token.pk])
        admin_client.post(revoke, {"reason": "other"})
        assert post(path, {}, api_token=value).status == 401
        admin_client.post(rotate, self.confirmed(admin_client, rotate), follow=True)
        token.refresh_from_db()
        assert token.prefix == value[:8]

    @pytest.mark.parametrize("name", ["rotate", "revoke"])
    def test_it_says_which_one_and_asks_why(self, admin_client, world, name):
        """Which it is about to be, what it opens, when it was used last; and the reason is kept."""
        token = ApiToken.objects.get()
        token.description, token.last_used_from = "of the CI", "192.0.2.7"
        token.last_used_at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
        token.save()
        url = reverse(f"admin:grant_management_apitoken_{name}", args=[token.pk])
        said = admin_client.get(url).content.decode()
        for fact in (token.prefix, "of the CI", "Retail", "2026-05-04 03:02:01 UTC", "192.0.2.7"):
            assert fact in said
        assert "within the last 24 hours" not in said
        for bad in ({"once": "x"}, {"once": "x", "reason": "because"}):
            assert admin_client.post(url, bad).context["form"].errors["reason"]
        assert not GrantEvent.objects.exists()
        why = {"reason": "suspected fraud", "note": "seen in a log", "ticket": "T-1"}
        admin_client.post(url, {"once": "x"} | why)
        event = GrantEvent.objects.get()
        assert (event.reason, event.note, event.ticket) == tuple(why.values())
        assert event.details["tokenId"] == str(token.pk)
        assert event.details["description"] == "of the CI"
        if name == "rotate":
            assert event.details["before"] == token.prefix
            assert event.details["prefix"] == ApiToken.objects.get().prefix != token.prefix

    def test_of_an_organization(self, admin_client, world):
        """Its event is the organization's, once, however many services it opens."""
        make_world(world.service.organization)
        organization_token(world, can_manage_tokens=True)
        token = ApiToken.objects.get(service=None)
        url = reverse("admin:grant_management_apitoken_revoke", args=[token.pk])
        said = admin_client.get(url).content.decode()
        assert "all services of Example Bank" in said
        assert "May manage the organization" in said
        assert "<dt>Last used</dt><dd>never</dd>" in said
        admin_client.post(url, {"reason": "other"})
        event = OrganizationEvent.objects.get()
        assert (event.kind, event.actor) == ("api_token_revoked", "admin")
        assert event.organization == world.service.organization
        assert not GrantEvent.objects.exists()

    def test_a_note_on_issue(self, admin_client, world):
        url = reverse(self.ISSUE)
        data = {"once": "x", "organization": world.service.organization_id, "note": "for the CI"}
        admin_client.post(url, data | {"can_manage_tokens": "on"})
        event = OrganizationEvent.objects.get()
        assert (event.kind, event.note, event.reason) == ("api_token_issued", "for the CI", "")
        assert event.details["rights"] == ["can_manage_tokens"]

    def test_the_list_says_which_are_alive(self, admin_client, world):
        listing = reverse("admin:grant_management_apitoken_changelist")
        rows = ApiToken.objects.all()
        for stamps, word in (
            ({}, "Active"),
            ({"expires_at": now()}, "Expired"),
            ({"revoked_at": now()}, "Revoked"),
        ):
            rows.update(**stamps)
            text = admin_client.get(listing).content.decode()
            assert f"</span> {word}</span>" in text
            assert str(world.service) in text

    def test_refused(self, admin_client, world):
        other = make_world()
        url = reverse(self.ISSUE)
        for bad in (
            {"service": other.service.pk},
            {"service": world.service.pk, "can_manage_tokens": "on"},
            {"organization": ""},
        ):
            data = {"once": "x", "organization": world.service.organization_id} | bad
            assert "value" not in (admin_client.post(url, data).context or {})
        assert ApiToken.objects.count() == 2

    def test_permission(self, client, django_user_model, world):
        user = make_operator(django_user_model)
        user.user_permissions.set(Permission.objects.filter(codename="view_apitoken"))
        client.force_login(user)
        token = ApiToken.objects.get()
        for name in ("rotate", "revoke"):
            url = reverse(f"admin:grant_management_apitoken_{name}", args=[token.pk])
            assert client.post(url, {"once": "x"}).status_code == 403
        assert client.post(reverse(self.ISSUE), {"once": "x"}).status_code == 403
        listing = client.get(reverse("admin:grant_management_apitoken_changelist"))
        assert reverse(self.ISSUE).encode() not in listing.content


def test_a_nonce_is_expired_by_hand(admin_client, world, call):
    """Whoever has it gets a new one."""
    key, grant = Key(), world.grant()
    token = world.token(grant, jkt=key.jkt)
    members = {
        "gmAction": "QUERY",
        "grantId": grant.grant_id,
        "accessToken": token,
        "dpopNonceRequired": True,
    }
    htu = f"{ENDPOINT}/{grant.grant_id}"
    nonce = call(**members, dpop=key.proof(token, htu=htu)).body["dpopNonce"]
    row = DPoPNonce.objects.get()
    url = reverse("admin:grant_management_dpopnonce_expire", args=[row.pk])
    assert "receipt" in admin_client.post(url, {"reason": "other"}, follow=True).content.decode()
    answer = call(**members, dpop=key.proof(token, htu=htu, nonce=nonce))
    assert answer.code == "A281309"
    assert answer.body["dpopNonce"] != nonce
    assert GrantEvent.objects.get().kind == "nonce_expired"
    assert admin_client.post(url, {"reason": "other"}).status_code == 404


class TestOrganizationEventFilters:
    @pytest.mark.parametrize(
        ("query", "number"),
        [
            ("kind=member_added", 1),
            ("kind=imported", 0),
            ("actor_kind__exact=command", 1),
            ("actor_kind__exact=operator", 0),
            ("organization__id__exact={0}", 1),
            ("organization__id__exact=0", 0),
        ],
    )
    def test_each_finds_its_own(self, admin_client, world, query, number):
        organization = world.service.organization
        actor = Actor.command("test")
        OrganizationEvent.objects.create(
            organization=organization,
            kind="member_added",
            at=now(),
            actor_kind=actor.kind,
            actor="test",
        )
        url = reverse("admin:grant_management_organizationevent_changelist")
        answer = admin_client.get(f"{url}?{query.format(organization.pk)}")
        assert answer.status_code == 200
        shown = answer.context["cl"].queryset
        assert shown.filter(actor="test", kind="member_added").count() == number

    def test_no_other_lookup(self, admin_client, world):
        url = reverse("admin:grant_management_organizationevent_changelist")
        assert admin_client.get(f"{url}?details__x=1").status_code == 400
