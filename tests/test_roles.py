"""Who sees and does what: each role, at each page; and users of other organizations."""

import csv
import re

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import reverse

from grant_management.admin import sweep as sweep_pages
from grant_management.admin.kit.export import as_csv_line
from grant_management.models import (
    Actor,
    ApiToken,
    Call,
    ClientProfile,
    Description,
    DPoPNonce,
    GrantEvent,
    OrganizationEvent,
    OrganizationMember,
    Reason,
    Stream,
    Sweep,
    Webhook,
    WebhookDelivery,
)
from grant_management.roles import ADMINISTRATOR, INCIDENT, ROLES, SUPPORT, VIEWER

from .exports import read_csv, read_json_lines
from .world import make_world, now

VIEWED = [
    "organization",
    "service",
    "client",
    "grant",
    "accesstoken",
    "refreshtoken",
    "dpopnonce",
    "grantevent",
    "call",
    "sweep",
    "organizationevent",
    "description",
    "clientprofile",
    "webhook",
    "webhookdelivery",
    "stream",
]
ACTIONS = {
    ("grant", "revoke"): {SUPPORT, INCIDENT, ADMINISTRATOR},
    ("client", "lock"): {INCIDENT, ADMINISTRATOR},
    ("client", "unlock"): {INCIDENT, ADMINISTRATOR},
    ("client", "cut-off"): {INCIDENT, ADMINISTRATOR},
    ("service", "cut-off"): {INCIDENT, ADMINISTRATOR},
    ("dpopnonce", "expire"): {INCIDENT, ADMINISTRATOR},
    ("apitoken", "rotate"): {ADMINISTRATOR},
    ("apitoken", "revoke"): {ADMINISTRATOR},
    ("description", "edit"): {ADMINISTRATOR},
    ("description", "remove"): {ADMINISTRATOR},
    ("clientprofile", "edit"): {ADMINISTRATOR},
    ("webhook", "test"): {ADMINISTRATOR},
    ("webhook", "rotate"): {ADMINISTRATOR},
    ("webhook", "disable"): {ADMINISTRATOR},
    ("webhook", "enable"): {ADMINISTRATOR},
    ("webhook", "remove"): {ADMINISTRATOR},
    ("webhookdelivery", "replay"): {ADMINISTRATOR},
    ("stream", "pause"): {ADMINISTRATOR},
    ("stream", "enable"): {ADMINISTRATOR},
    ("stream", "disable"): {ADMINISTRATOR},
}


def fill(world):
    """A row of everything; by model."""
    grant = world.grant()
    world.token(grant)
    world.refresh_token(grant)
    DPoPNonce.objects.at(world.service, now())
    event = GrantEvent.objects.record("imported", world.service.pk, now(), Actor.operator("x"))
    of_organization = OrganizationEvent.objects.record(
        "imported", world.service.organization_id, now(), Actor.operator("x")
    )
    sweep = Sweep(service=world.service, subject="nobody", started_at=now(), expected=0)
    sweep.save()
    described = Description.objects.create(service=world.service, kind="scope", name="read")
    profile = ClientProfile.objects.create(service=world.service, client=world.client)
    api_token = ApiToken.objects.get(service=world.service)
    about = {"service": world.service, "created_at": now(), "url": "https://receiver.example/"}
    webhook = Webhook.objects.create(**about)
    dead = {"event": event.pk, "type": "x", "number": 1, "created_at": now(), "dead_at": now()}
    return {
        "organization": world.service.organization,
        "service": world.service,
        "client": world.client,
        "grant": grant,
        "accesstoken": world.service.accesstoken_set.get(),
        "refreshtoken": world.service.refreshtoken_set.get(),
        "dpopnonce": world.service.dpopnonce_set.get(),
        "grantevent": event,
        "call": _call(world, grant),
        "sweep": sweep,
        "organizationevent": of_organization,
        "description": described,
        "clientprofile": profile,
        "apitoken": api_token,
        "webhook": webhook,
        "webhookdelivery": WebhookDelivery.objects.create(webhook=webhook, **dead),
        "stream": Stream.objects.create(api_token=api_token, method="push", **about),
    }


def _call(world, grant):
    """A call with the grant, which the grant's timeline shows too."""
    about = {"grant_id": grant.grant_id, "client_id": grant.client.client_id}
    return Call.objects.create(service=world.service, at=now(), code="A277001", **about)


@pytest.fixture
def rows(world):
    return fill(world)


@pytest.fixture
def operator(client, django_user_model):
    """Log in as somebody with this role: at one organization, or at all of them."""

    def log_in(role, organization=None):
        user = django_user_model.objects.create_user("ann", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        OrganizationMember.objects.create(user=user, organization=organization)
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def nobody(client, django_user_model):
    """Log in as an administrator who is a member of no organization."""
    user = django_user_model.objects.create_user("ann", is_staff=True)
    user.groups.add(Group.objects.get(name=ADMINISTRATOR))
    client.force_login(user)
    return client


def shown(page):
    """The keys of the rows of a list, ours or Django's; and their number is as it says."""
    ours = page.context.get("list")
    rows = ours.rows if ours else page.context["cl"].result_list
    assert len(rows) == (ours.count if ours else page.context["cl"].result_count)
    return [row.pk for row in rows]


def row_pages():
    """The model and the URL's name of each page about one row."""
    return [
        (pattern.name.split("_")[2], f"admin:{pattern.name}")
        for part in site.get_urls()
        for pattern in getattr(part, "url_patterns", [])
        if (pattern.name or "").startswith("grant_management_")
        and re.search(r"<\w+:(object_id|pk)>", str(pattern.pattern))
    ]


def url(model, page, *arguments):
    return reverse(f"admin:grant_management_{model}_{page}", args=arguments)


@pytest.mark.parametrize("role", ROLES)
def test_pages(operator, rows, role):
    client = operator(role)
    for model, row in rows.items():
        expected = 200 if model in VIEWED or role == ADMINISTRATOR else 403
        assert client.get(url(model, "changelist")).status_code == expected, model
        assert client.get(url(model, "change", row.pk)).status_code == expected, model


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS)
def test_actions(operator, rows, role, action):
    model, name = action
    client = operator(role)
    expected = 200 if role in ACTIONS[action] else 403
    assert client.get(url(model, name, rows[model].pk)).status_code == expected


@pytest.mark.parametrize("role", ROLES)
def test_issue_and_find(operator, rows, role):
    client = operator(role)
    assert client.get(url("apitoken", "issue")).status_code == (
        200 if role == ADMINISTRATOR else 403
    )
    assert client.get(url("grant", "find")).status_code == 200
    assert client.get(url("grantevent", "export_csv")).status_code == 200
    assert client.get(url("dailycount", "changelist")).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_settings_and_codes(operator, rows, role):
    """Who may not change a service changes nothing; what a code says is for everybody."""
    client, service = operator(role), rows["service"]
    data = {name: getattr(service, name) for name in ("name", "ownership", "dpop_max_age")}
    expected = 200 if role == ADMINISTRATOR else 403
    assert client.get(url("service", "settings", service.pk)).status_code == expected
    assert client.post(url("service", "settings", service.pk), data).status_code == expected
    assert b"A281305" in client.get(url("call", "codes")).content


@pytest.mark.parametrize("role", ROLES)
def test_sweeps(operator, rows, role, monkeypatch):
    """Everybody watches; who may start may pause and resume."""
    monkeypatch.setattr(sweep_pages, "work_in_background", lambda sweep: None)
    client = operator(role)
    sweep = rows["sweep"]
    expected = 200 if role in (INCIDENT, ADMINISTRATOR) else 403
    assert client.get(url("sweep", "start")).status_code == expected
    assert client.post(url("sweep", "check"), {}).status_code == expected
    for page in ("pause", "resume"):
        moved = 302 if expected == 200 else 403
        assert client.post(url("sweep", page, sweep.pk)).status_code == moved
    for page in ("progress", "report.csv", "report.json"):
        assert client.get(url("sweep", page, sweep.pk)).status_code == 200


def test_roles_grow():
    names = [set(ROLES[role]) for role in (VIEWER, SUPPORT, INCIDENT, ADMINISTRATOR)]
    assert names[0] < names[1] < names[2] < names[3]


def test_roles_are_left_as_the_host_has_them(db):
    group = Group.objects.get(name=VIEWER)
    group.permissions.set(Permission.objects.filter(codename="view_grant"))
    Group.objects.get(name=SUPPORT).delete()
    call_command("migrate", verbosity=0)
    assert group.permissions.count() == 1
    assert Group.objects.get(name=SUPPORT).permissions.count() == len(ROLES[SUPPORT])


class TestLimitedToAnOrganization:
    """Everything else does not exist: lists, counts, search, exports, pages by their URL."""

    @pytest.fixture
    def theirs(self, db):
        other = make_world()
        return other, fill(other)

    def test_lists(self, operator, world, rows, theirs):
        client = operator(ADMINISTRATOR, world.service.organization)
        for model, row in rows.items():
            page = client.get(url(model, "changelist"))
            assert shown(page) == [row.pk], model

    def test_search(self, operator, world, theirs):
        client = operator(ADMINISTRATOR, world.service.organization)
        found = client.get(url("grant", "changelist"), {"q": theirs[1]["grant"].grant_id})
        assert shown(found) == []

    def test_pages(self, operator, world, theirs):
        client = operator(ADMINISTRATOR, world.service.organization)
        for model, row in theirs[1].items():
            assert client.get(url(model, "change", row.pk)).status_code == 404, model
        for page in ("settings", "what_if"):
            address = url("service", page, theirs[1]["service"].pk)
            assert client.get(address).status_code == 404
        for model, name in ACTIONS:
            row = theirs[1][model]
            response = client.post(url(model, name, row.pk), {"reason": "other", "once": "x"})
            assert response.status_code == 404, (model, name)
        theirs[1]["grant"].refresh_from_db()
        assert theirs[1]["grant"].revoked_at is None
        assert ApiToken.objects.get(pk=theirs[1]["apitoken"].pk).revoked_at is None

    def test_every_page_of_a_row(self, operator, world, theirs):
        """Whatever pages there are, those that come later included."""
        client = operator(ADMINISTRATOR, world.service.organization)
        pages = row_pages()
        assert len(pages) > 40
        for model, name in pages:
            if model in theirs[1]:
                address = reverse(name, args=[theirs[1][model].pk])
                for response in (client.get(address), client.post(address)):
                    assert response.status_code in (302, 403, 404), name
                    assert response.get("Location", "/admin/") == "/admin/", name

    def test_sweeps(self, operator, world, theirs):
        client = operator(ADMINISTRATOR, world.service.organization)
        other, rows = theirs
        for page in ("progress", "report.csv", "report.json", "pause", "resume"):
            response = client.post(url("sweep", page, rows["sweep"].pk))
            assert response.status_code == 404, page
        data = {"service": other.service.pk, "subject": "user-1"}
        page = client.post(url("sweep", "check"), data)
        assert "sample" not in page.context
        assert page.context["form"].errors["service"]

    def test_overview(self, operator, world, theirs):
        client = operator(VIEWER, world.service.organization)
        page = client.get(url("dailycount", "changelist"), {"service": theirs[0].service.pk})
        assert page.context["form"].errors["service"]
        assert "figures" not in page.context
        page = client.get(url("dailycount", "changelist"))
        assert page.context["view"].services == [world.service]
        assert list(page.context["services"]) == [world.service]

    def test_suggestions(self, operator, world, theirs):
        client = operator(VIEWER, world.service.organization)
        asked = {"service": theirs[0].service.pk, "q": "app"}
        assert client.post(url("client", "suggest"), asked).json() == {"values": []}
        asked["service"] = world.service.pk
        assert client.post(url("client", "suggest"), asked).json() == {"values": ["app-1"]}

    def test_find_by_token(self, operator, world, theirs):
        other, _ = theirs
        other.token(other.grant(), value="theirs")
        client = operator(VIEWER, world.service.organization)
        page = client.post(url("grant", "find"), {"text": "theirs"})
        assert "Nothing was found." in page.content.decode()

    def test_issue(self, operator, world, theirs):
        client = operator(ADMINISTRATOR, world.service.organization)
        other = theirs[0]
        before = ApiToken.objects.count()
        data = {
            "once": "x",
            "organization": other.service.organization_id,
            "service": other.service.pk,
        }
        page = client.post(url("apitoken", "issue"), data)
        assert "Example Bank" in page.content.decode()
        assert ApiToken.objects.count() == before

    def test_exports(self, operator, world, rows, theirs):
        client = operator(VIEWER, world.service.organization)
        found = read_json_lines(client.get(url("grantevent", "export_jsonl")))
        assert [event["id"] for event in found] == [str(rows["grantevent"].pk)]

    def test_nobody_widens_their_own_limits(self, operator, world):
        client = operator(ADMINISTRATOR, world.service.organization)
        assert client.get(url("organizationmember", "add")).status_code == 403
        member = OrganizationMember.objects.get()
        assert (
            client.post(url("organizationmember", "delete", member.pk), {"post": "yes"}).status_code
            == 403
        )

    def test_an_administrator_without_limits_sets_them(self, operator, world, django_user_model):
        client = operator(ADMINISTRATOR)
        user = django_user_model.objects.create_user("bob")
        data = {"user": user.pk, "organization": world.service.organization_id}
        assert client.post(url("organizationmember", "add"), data).status_code == 302
        assert OrganizationMember.objects.exclude(organization=None).get().user_id == user.pk


class TestMemberOfNone:
    """No membership means that nothing is seen; superusers alone need none."""

    def test_lists(self, nobody, rows):
        for model in rows:
            page = nobody.get(url(model, "changelist"))
            assert shown(page) == [], model
            assert "member of no organization" in page.content.decode()
        page = nobody.get(url("dailycount", "changelist"))
        assert page.context["services"] == []
        assert "member of no organization" in page.content.decode()

    def test_every_page_of_a_row(self, nobody, rows):
        pages = row_pages()
        assert len(pages) > 40
        for model, name in pages:
            if model in rows:
                address = reverse(name, args=[rows[model].pk])
                for response in (nobody.get(address), nobody.post(address, {"reason": "other"})):
                    assert response.status_code in (302, 403, 404), name
                    assert response.get("Location", "/admin/") == "/admin/", name

    def test_exports_and_search(self, nobody, world, rows):
        for model in ("grantevent", "organizationevent"):
            for ending in ("csv", "jsonl"):
                text = nobody.get(url(model, f"export_{ending}")).getvalue().decode()
                assert str(rows[model].pk) not in text
        assert (
            rows["grant"].grant_id not in nobody.get(url("grant", "export_csv")).getvalue().decode()
        )
        asked = {"service": world.service.pk, "q": "app"}
        assert nobody.post(url("client", "suggest"), asked).json() == {"values": []}
        world.token(world.grant(), value="clear")
        page = nobody.post(url("grant", "find"), {"text": "clear"})
        assert "Nothing was found." in page.content.decode()

    def test_what_can_be_chosen(self, nobody, world):
        service = world.service
        chosen = {"once": "x", "organization": service.organization_id, "service": service.pk}
        before = ApiToken.objects.count()
        assert nobody.post(url("apitoken", "issue"), chosen).context["form"].errors
        assert ApiToken.objects.count() == before
        page = nobody.post(url("sweep", "check"), {"service": service.pk, "subject": "user-1"})
        assert page.context["form"].errors["service"]
        assert nobody.get(url("organizationmember", "add")).status_code == 403

    def test_the_last_membership_goes(self, operator, admin_client, world, rows):
        """What is seen gets less, whoever it was, and the page says so."""
        client = operator(VIEWER, world.service.organization)
        assert shown(client.get(url("grant", "changelist"))) == [rows["grant"].pk]
        member = OrganizationMember.objects.get()
        gone = admin_client.post(
            url("organizationmember", "delete", member.pk), {"post": "yes"}, follow=True
        )
        assert gone.redirect_chain == [(url("organizationmember", "changelist"), 302)]
        assert "Ann is a member of no organization now" in gone.content.decode()
        assert shown(client.get(url("grant", "changelist"))) == []

    def test_a_superuser_needs_none(self, admin_client, rows):
        assert shown(admin_client.get(url("grant", "changelist"))) == [rows["grant"].pk]

    def test_one_and_all_is_all(self, operator, world, rows):
        other = make_world()
        client = operator(VIEWER, world.service.organization)
        assert len(shown(client.get(url("service", "changelist")))) == 1
        OrganizationMember(user_id=OrganizationMember.objects.get().user_id).save()
        assert set(shown(client.get(url("service", "changelist")))) == {
            world.service.pk,
            other.service.pk,
        }


class TestExport:
    @pytest.fixture
    def events(self, world):
        for number in range(5):
            world.grant().revoke(
                Actor.operator("=cmd|x"), Reason("other", f"note, {number}", "T-1")
            )
        world.client.move_cut_off(Actor.operator("bob"), Reason("regulator"))

    def test_csv(self, admin_client, events):
        admin_client.post(url("grantevent", "columns"), {"column": ["who", "note"]})
        response = admin_client.get(url("grantevent", "export_csv"), {"kind": "revoked"})
        assert response["Content-Disposition"].startswith("attachment")
        lines = read_csv(response)
        assert len(lines) == 5
        assert {line["actor"] for line in lines} == {"'=cmd|x"}
        assert {line["note"] for line in lines} == {f"note, {number}" for number in range(5)}

    @pytest.mark.parametrize(
        ("value", "cell"),
        [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|x", "'+cmd|x"),
            ("-1+2", "'-1+2"),
            ("\tx", "'\tx"),
            ("-aB3_x~y.z", "-aB3_x~y.z"),
            ("", ""),
        ],
    )
    def test_a_formula_is_text(self, value, cell):
        """And an ID that begins with a hyphen stays what it is."""
        assert next(csv.reader([as_csv_line([value, "x"])])) == [cell, "x"]

    def test_grants(self, admin_client, events, world):
        world.grant(subject="=1+1", authorization_details='[{"type":"b"},{"type":"a"}]')
        assert read_csv(admin_client.get(url("grant", "export_csv"), {"status": "active"})) == []
        world.client.refresh_from_db()
        late = world.grant(
            created_at=now(), subject="=1+1", authorization_details='[{"type":"b"},{"type":"a"}]'
        )
        response = admin_client.get(url("grant", "export_csv"), {"status": "active"})
        (line,) = read_csv(response)
        assert (line["grant_id"], line["subject"]) == (late.grant_id, "'=1+1")
        assert (line["status"], line["authorization_types"]) == ("active", "a b")

    def test_json_lines(self, admin_client, events):
        response = admin_client.get(url("grantevent", "export_jsonl"), {"q": "bob"})
        (event,) = read_json_lines(response)
        assert (event["kind"], event["reason"]) == ("cut_off", "regulator")

    def test_permission(self, client, django_user_model, events):
        client.force_login(django_user_model.objects.create_user("ann", is_staff=True))
        assert client.get(url("grantevent", "export_csv")).status_code == 403
