"""Nobody gives away a role, a right or an organization that they lack: each role at each form."""

import pytest
from django import forms
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission
from django.urls import NoReverseMatch, reverse

from grant_management.admin.api_token_forms import NEEDED
from grant_management.models import ApiToken, OrganizationEvent, OrganizationMember, Service
from grant_management.models.api_token import RIGHTS
from grant_management.roles import ADMINISTRATOR, INCIDENT, ROLES, SUPPORT, VIEWER

from ..test_roles import fill
from ..world import api_token_of, make_world

FORMS = {
    "organization_create": {ADMINISTRATOR},
    "organization_edit": {ADMINISTRATOR},
    "organization_first_run": {ADMINISTRATOR},
    "service_create": {ADMINISTRATOR},
    "service_settings": {ADMINISTRATOR},
    "client_create": {ADMINISTRATOR},
    "client_edit": {ADMINISTRATOR},
    "apitoken_issue": {ADMINISTRATOR},
    "apitoken_rotate": {ADMINISTRATOR},
    "apitoken_revoke": {ADMINISTRATOR},
    "organizationmember_add": {ADMINISTRATOR},
    "organizationmember_operator_create": {ADMINISTRATOR},
    "organizationmember_operator_edit": {ADMINISTRATOR},
    "description_edit": {ADMINISTRATOR},
    "clientprofile_edit": {ADMINISTRATOR},
    "sweep_start": {INCIDENT, ADMINISTRATOR},
    "operatorpreference_changelist": set(ROLES),
}
"""Who may open which form, when they see all organizations."""
PASSWORD = "correct horse battery"


def url(page, *arguments):
    return reverse(f"admin:grant_management_{page}", args=arguments)


@pytest.fixture
def rows(world):
    return fill(world)


@pytest.fixture
def person(django_user_model):
    """A user of the admin with some roles, further permissions and organizations (None: all)."""

    def make(name, *roles, also=(), sees=(None,), **fields):
        user = django_user_model.objects.create_user(name, is_staff=True, **fields)
        user.groups.set(Group.objects.filter(name__in=roles))
        user.user_permissions.set(Permission.objects.filter(codename__in=also))
        for organization in sees:
            OrganizationMember.objects.create(user=user, organization=organization)
        return user

    return make


def address(page, rows, other):
    """The page's URL, about the row of its model where it is about one."""
    key = other.pk if "operator_" in page else rows.get(page.partition("_")[0])
    try:
        return url(page)
    except NoReverseMatch:
        return url(page, getattr(key, "pk", key))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", FORMS)
def test_who_opens_which_form(client, person, rows, role, page):
    other = person("other", VIEWER)
    client.force_login(person("ann", role))
    expected = 200 if role in FORMS[page] else 403
    assert client.get(address(page, rows, other)).status_code == expected


def test_no_form_is_missing_above():
    """Each page that has a form of its own and is about no row, or is in the list above."""
    names = {
        pattern.name.removeprefix("grant_management_")
        for part in site.get_urls()
        for pattern in getattr(part, "url_patterns", [])
        if (pattern.name or "").startswith("grant_management_")
    }
    about = ("_create", "_edit", "_issue", "_settings", "_rotate", "_start")
    others = {"webhook_rotate", "webhook_edit"}  # they give away neither rights nor organizations
    assert {name for name in names if name.endswith(about)} - others <= set(FORMS)


@pytest.mark.parametrize("page", FORMS)
@pytest.mark.parametrize("role", ROLES)
def test_no_form_offers_what_is_another_organizations(client, person, world, rows, role, page):
    """Whatever a form lets its operator choose among, it is of organizations that they see."""
    theirs = make_world()
    mine = world.service.organization
    other = person("other", VIEWER, sees=[mine])
    client.force_login(person("ann", role, sees=[mine]))
    response = client.get(address(page, rows, other))
    if response.status_code != 200:
        return
    for form in filter(_is_form, response.context_data.values()):
        for field in form.fields.values():
            rows_ = getattr(field, "queryset", None)
            offered = list(rows_) if rows_ is not None else []
            assert theirs.service.organization not in offered
            assert theirs.service not in offered
            if rows_ is not None and rows_.model is Group:
                assert {one.name for one in offered} <= _below(role)


def _is_form(value):
    return isinstance(value, forms.BaseForm)


def _below(role):
    return set(list(ROLES)[: list(ROLES).index(role) + 1])


@pytest.mark.parametrize("mine", ROLES)
@pytest.mark.parametrize("given", ROLES)
def test_nobody_gives_a_role_that_they_lack(client, person, django_user_model, mine, given):
    """Neither to a new operator nor to one that exists."""
    also = ["manage_operator", "view_organizationmember"]
    client.force_login(person("ann", mine, also=also))
    role = Group.objects.get(name=given)
    may = given in _below(mine)
    sent = {"username": "bob", "password": PASSWORD, "again": PASSWORD, "may_log_in": "on"}
    sent |= {"roles": [role.pk], "all_organizations": "on"}
    page = client.post(url("organizationmember_operator_create"), sent)
    assert page.status_code == (302 if may else 200)
    assert django_user_model.objects.filter(username="bob").exists() == may
    carl = person("carl", VIEWER)
    sent = {"may_log_in": "on", "roles": [role.pk], "all_organizations": "on"}
    client.post(url("organizationmember_operator_edit", carl.pk), sent)
    assert carl.groups.filter(pk=role.pk).exists() == (may or given == VIEWER)


@pytest.mark.parametrize("mine", ROLES)
@pytest.mark.parametrize("theirs", [*ROLES, "superuser", "one permission more", "superuser, off"])
def test_nobody_takes_over_who_has_more(client, person, mine, theirs):
    """A new password for somebody is that somebody's roles."""
    also = ["manage_operator", "view_organizationmember"]
    client.force_login(person("ann", mine, also=also))
    role = [theirs] if theirs in ROLES else []
    more = ["add_user"] if theirs == "one permission more" else []
    flags = {"is_superuser": "superuser" in theirs, "is_active": not theirs.endswith("off")}
    bob = person("bob", *role, also=more, **flags)
    before = bob.password
    sent = {"may_log_in": "on", "password": PASSWORD, "again": PASSWORD, "all_organizations": "on"}
    response = client.post(url("organizationmember_operator_edit", bob.pk), sent)
    may = theirs in _below(mine)
    assert response.status_code == (302 if may else 403)
    bob.refresh_from_db()
    assert (bob.password != before) == may


def test_an_inactive_account_still_has_its_roles(client, person):
    """Its permissions count, though Django gives none to whoever may not log in."""
    also = ["manage_operator", "view_organizationmember"]
    client.force_login(person("ann", VIEWER, also=also))
    bob = person("bob", ADMINISTRATOR, is_active=False)
    sent = {"may_log_in": "on", "password": PASSWORD, "again": PASSWORD, "all_organizations": "on"}
    assert client.post(url("organizationmember_operator_edit", bob.pk), sent).status_code == 403


def test_nobody_changes_themselves(client, person):
    ann = person("ann", ADMINISTRATOR)
    client.force_login(ann)
    assert client.get(url("organizationmember_operator_edit", ann.pk)).status_code == 403


class TestOrganizations:
    @pytest.fixture
    def theirs(self, db):
        return make_world()

    @pytest.fixture
    def limited(self, client, person, world):
        client.force_login(person("ann", ADMINISTRATOR, sees=[world.service.organization]))
        return client

    def test_nobody_gives_an_organization_that_they_lack(
        self, limited, world, theirs, django_user_model
    ):
        sent = {"username": "bob", "password": PASSWORD, "again": PASSWORD, "may_log_in": "on"}
        for more in (
            {"organizations": [theirs.service.organization_id]},
            {"organizations": [world.service.organization_id, theirs.service.organization_id]},
            {"all_organizations": "on"},
            {},
        ):
            page = limited.post(url("organizationmember_operator_create"), sent | more)
            assert page.status_code == 200, more
        assert not django_user_model.objects.filter(username="bob").exists()
        more = {"organizations": [world.service.organization_id]}
        page = limited.post(url("organizationmember_operator_create"), sent | more)
        assert page.status_code == 302

    def test_who_sees_more_is_not_changed(self, limited, person, world, theirs):
        mine, other = world.service.organization, theirs.service.organization
        for name, sees, status in (
            ("bob", [mine], 200),
            ("carl", [mine, other], 403),
            ("dora", [None], 403),
            ("emil", [], 403),
            ("fay", [other], 403),
        ):
            user = person(name, VIEWER, sees=sees)
            address = url("organizationmember_operator_edit", user.pk)
            assert limited.get(address).status_code == status, name

    def test_nothing_is_made_there(self, limited, theirs):
        organization, service = theirs.service.organization_id, theirs.service.pk
        for page, sent in (
            ("service_create", {"organization": organization, "name": "x", "call_log_size": 0}),
            ("client_create", {"service": service, "client_id": "x"}),
            ("apitoken_issue", {"organization": organization, "once": "x"}),
        ):
            assert limited.post(url(page), sent).status_code == 200, page
        assert limited.post(url("organization_create"), {"name": "x"}).status_code == 403
        for page, key in (("organization_edit", organization), ("client_edit", theirs.client.pk)):
            assert limited.post(url(page, key), {"name": "x"}).status_code == 404
        assert Service.objects.filter(organization=organization).count() == 1


class TestRights:
    """A right of an API token is given by who has the permissions that it stands for."""

    def test_each_is_in_the_table(self):
        assert set(NEEDED) == set(RIGHTS)

    @pytest.mark.parametrize("right", NEEDED)
    @pytest.mark.parametrize("has", [False, True])
    def test_issued_and_rotated(self, client, person, world, right, has):
        issues = ["view_apitoken", "manage_apitoken"]
        client.force_login(person("ann", also=[*issues, *(NEEDED[right] if has else [])]))
        may = has or set(NEEDED[right]) <= set(issues)
        organization = world.service.organization
        sent = {"organization": organization.pk, "once": "x", "description": "new", right: "on"}
        client.post(url("apitoken_issue"), sent)
        assert getattr(ApiToken.objects.get(description="new"), right) == may
        api_token_of(organization=organization, description="old", **{right: True})
        old = ApiToken.objects.get(description="old")
        assert client.get(url("apitoken_rotate", old.pk)).status_code == (200 if may else 403)
        page = client.get(url("apitoken_change", old.pk)).content.decode()
        assert ("Rotate…" in page) == may
        assert "Revoke…" in page


class TestEvents:
    def test_of_an_operator(self, client, person, world, django_user_model):
        """One of the operator and one of each membership; no password in any of them."""
        organization = world.service.organization
        client.force_login(person("ann", ADMINISTRATOR))
        support = Group.objects.get(name=SUPPORT)
        sent = {"username": "bob", "password": PASSWORD, "again": PASSWORD, "may_log_in": "on"}
        sent |= {"roles": [support.pk], "organizations": [organization.pk], "ticket": "T-1"}
        client.post(url("organizationmember_operator_create"), sent)
        made, joined = OrganizationEvent.objects.order_by("at", "id")
        assert (made.kind, made.organization, made.ticket) == (
            "operator_created",
            organization,
            "T-1",
        )
        assert made.details["after"] == {"may_log_in": True, "roles": [SUPPORT]}
        assert (joined.kind, joined.organization) == ("member_added", organization)
        bob = django_user_model.objects.get(username="bob")
        assert bob.is_staff
        assert not bob.is_superuser
        assert bob.check_password(PASSWORD)
        sent = {"password": PASSWORD + "!", "again": PASSWORD + "!", "all_organizations": "on"}
        client.post(url("organizationmember_operator_edit", bob.pk), sent)
        changed = OrganizationEvent.objects.get(kind="operator_changed")
        assert changed.details["before"] == {"may_log_in": True, "roles": [SUPPORT]}
        after = {"may_log_in": False, "roles": [], "password_changed": True}
        assert changed.details["after"] == after
        kinds = sorted(event.kind for event in OrganizationEvent.objects.all())
        assert kinds == [
            "member_added",
            "member_added",
            "member_removed",
            "operator_changed",
            "operator_created",
        ]
        assert PASSWORD not in str(list(OrganizationEvent.objects.values()))
        bob.refresh_from_db()
        assert not bob.is_active

    def test_other_groups_stay(self, client, person):
        client.force_login(person("ann", ADMINISTRATOR))
        bob = person("bob", VIEWER)
        bob.groups.add(Group.objects.create(name="the host's own"))
        sent = {"may_log_in": "on", "all_organizations": "on"}
        client.post(url("organizationmember_operator_edit", bob.pk), sent)
        assert [group.name for group in bob.groups.all()] == ["the host's own"]

    @pytest.mark.parametrize(
        ("more", "wrong"),
        [
            ({"username": "ann"}, "username"),
            ({"username": "a b"}, "username"),
            ({"password": "12345678", "again": "12345678"}, "password"),
            ({"again": "another"}, "again"),
            ({"organizations": "1"}, "organizations"),
        ],
    )
    def test_what_is_refused(self, client, person, django_user_model, more, wrong):
        client.force_login(person("ann", ADMINISTRATOR))
        sent = {"username": "bob", "password": PASSWORD, "again": PASSWORD} | more
        page = client.post(url("organizationmember_operator_create"), sent)
        assert wrong in page.context["form"].errors
        assert django_user_model.objects.count() == 1
        assert PASSWORD not in page.content.decode()
