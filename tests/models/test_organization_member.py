"""Members of organizations: users of the host, whose rows may be in another database."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connections, router
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grant_management.db import primary
from grant_management.models import Actor, OrganizationEvent, OrganizationMember
from grant_management.roles import VIEWER

from ..each_migration import LAST, migrate_to
from ..world import BY_TEST, make_world


def url(page, *arguments):
    return reverse(f"admin:grant_management_organizationmember_{page}", args=arguments)


@pytest.fixture
def bob(world, django_user_model):
    return django_user_model.objects.create_user("bob")


def test_an_event_tells_of_each_change(world, bob):
    member = OrganizationMember(user_id=bob.pk, organization=world.service.organization)
    member.add(BY_TEST)
    assert member.remove(Actor.operator("ann", 7))
    assert not member.remove(BY_TEST)
    added, removed = OrganizationEvent.objects.order_by("at", "pk")
    assert (added.kind, removed.kind) == ("member_added", "member_removed")
    assert (removed.actor, removed.actor_id) == ("ann", "7")
    for event in (added, removed):
        assert event.organization == world.service.organization
        assert event.details["user"] == "bob"
        assert event.details["user_id"] == str(bob.pk)


def test_a_user_of_many_goes(world, bob, django_user_model):
    """By itself, in a bulk, as a proxy: the memberships go, each with its event."""

    class Colleague(django_user_model):
        class Meta:
            proxy = True
            app_label = "auth"

    from grant_management import receivers

    receivers.connect()  # as on start, when all models are known
    other = django_user_model.objects.create_user("eve")
    for user in (bob, other):
        for organization in (None, world.service.organization):
            OrganizationMember(user_id=user.pk, organization=organization).add(BY_TEST)
    try:
        Colleague.objects.get(pk=bob.pk).delete()
        assert set(OrganizationMember.objects.values_list("user_id", flat=True)) == {other.pk}
        django_user_model.objects.filter(username="eve").delete()
    finally:
        del apps.all_models["auth"]["colleague"]
        apps.clear_cache()
    assert not OrganizationMember.objects.exists()
    gone = OrganizationEvent.objects.filter(kind="member_removed", actor_kind="system")
    assert sorted(gone.values_list("details__user", flat=True)) == ["bob", "bob", "eve", "eve"]


def test_a_user_that_is_gone_is_shown_by_key(admin_client, world, bob):
    member = OrganizationMember(user_id=bob.pk, organization=world.service.organization)
    member.save()
    type(bob)._default_manager.filter(pk=bob.pk)._raw_delete(router.db_for_write(type(bob)))
    page = admin_client.get(url("changelist")).content.decode()
    assert f">{member.user_id}</a>" in page
    assert admin_client.get(url("change", member.pk)).status_code == 200


def test_no_statement_joins_users(admin_client, world, django_user_model):
    """They may be in another database; and the names of a page come with one statement."""
    for number in range(3):
        user = django_user_model.objects.create_user(f"user-{number}")
        OrganizationMember(user_id=user.pk, organization=world.service.organization).save()
    users = django_user_model._meta.db_table
    with (
        CaptureQueriesContext(primary.connection()) as ours,
        CaptureQueriesContext(connections[router.db_for_write(django_user_model)]) as theirs,
    ):
        page = admin_client.get(url("changelist")).content.decode()
        admin_client.get(url("add"))
    for number in range(3):
        assert f"user-{number}" in page
    for query in (*ours, *theirs):
        assert not (users in query["sql"] and "organizationmember" in query["sql"]), query["sql"]
    by_key = [one for one in theirs if f'"{users}"."id" IN' in one["sql"]]
    assert len(by_key) == 1


def test_the_form_says_what_is_given(admin_client, world, bob):
    """All organizations are chosen by a tick, not by what is left out."""
    organization = world.service.organization_id
    for bad in (
        {"user": bob.pk},
        {"user": bob.pk, "organization": organization, "all_organizations": "on"},
        {"organization": organization},
        {"user": 0, "organization": organization},
    ):
        assert admin_client.post(url("add"), bad).context["adminform"].form.errors, bad
    assert not OrganizationMember.objects.exists()
    assert admin_client.post(url("add"), {"user": bob.pk, "all_organizations": "on"}).url
    assert OrganizationMember.objects.get().organization_id is None


def test_a_removal_says_why_and_can_be_cancelled(admin_client, world, bob):
    member = OrganizationMember(user_id=bob.pk, organization=world.service.organization)
    member.save()
    why = {"post": "yes", "note": "left", "ticket": "T-1"}
    many = {"action": "delete_selected", "_selected_action": [member.pk]}
    for page in (
        admin_client.get(url("delete", member.pk)),
        admin_client.post(url("changelist"), many),
    ):
        text = page.content.decode()
        assert ">Cancel</a>" in text
        assert "take me back" not in text
        assert 'name="ticket"' in text
    long = why | {"ticket": "x" * 256}
    assert admin_client.post(url("delete", member.pk), long).status_code == 400
    assert admin_client.post(url("changelist"), many | long).status_code == 400
    assert OrganizationMember.objects.filter(pk=member.pk).exists()
    admin_client.post(url("delete", member.pk), why)
    member.save()
    admin_client.post(url("changelist"), many | {"_selected_action": [member.pk]} | why)
    removed = OrganizationEvent.objects.filter(kind="member_removed")
    assert [(one.note, one.ticket) for one in removed] == [("left", "T-1")] * 2


def test_users_and_roles_are_deleted_or_not(admin_client, bob):
    role = Group.objects.get(name=VIEWER)
    many = {"action": "delete_selected", "_selected_action": [bob.pk]}
    for page in (
        admin_client.get(reverse("admin:auth_user_delete", args=[bob.pk])),
        admin_client.post(reverse("admin:auth_user_changelist"), many),
        admin_client.get(reverse("admin:auth_group_delete", args=[role.pk])),
    ):
        assert ">Cancel</a>" in page.content.decode()
    admin_client.post(reverse("admin:auth_user_changelist"), many | {"post": "yes"})
    assert not type(bob)._default_manager.filter(pk=bob.pk).exists()


def test_an_organization_with_members_stays(world, bob):
    from django.db.models import ProtectedError

    other = make_world().service.organization
    OrganizationMember(user_id=bob.pk, organization=other).save()
    with pytest.raises(ProtectedError):
        other.delete()


@pytest.mark.django_db(transaction=True)
def test_who_saw_all_still_does(django_user_model):
    """The migration: active users with a permission of ours, who are no superusers."""
    ours = primary.alias()
    if router.db_for_write(django_user_model) != ours:
        pytest.skip("with users elsewhere nothing is known of them")
    then = migrate_to(connections[ours], "0003_one_clock_one_trail")
    create = django_user_model.objects.create_user
    view = Permission.objects.get(codename="view_grant")
    users = {name: create(name) for name in ("direct", "grouped", "gone", "stranger", "limited")}
    users["grouped"].groups.add(Group.objects.get(name=VIEWER))
    for name in ("direct", "gone", "limited"):
        users[name].user_permissions.add(view)
    users["gone"].is_active = False
    users["gone"].save()
    users["root"] = django_user_model.objects.create_superuser("root")
    users["root"].user_permissions.add(view)
    bank = then.get_model("grant_management", "Organization").objects.create(name="Example Bank")
    OrganizationMember.objects.create(user_id=users["limited"].pk, organization_id=bank.pk)
    migrate_to(connections[ours], LAST)
    of_all = OrganizationMember.objects.filter(organization=None)
    assert set(of_all.values_list("user_id", flat=True)) == {
        users["direct"].pk,
        users["grouped"].pk,
    }
    told = OrganizationEvent.objects.order_by("pk")
    assert sorted(event.details["user"] for event in told) == ["direct", "grouped"]
    assert {(event.kind, event.actor_kind, event.actor) for event in told} == {
        ("member_added", "command", "migrate")
    }
