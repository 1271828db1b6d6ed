"""What somebody sees who opens a page for the first time: what a button does, and where a link goes."""

import re
from itertools import chain

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import translation

from grant_management.admin.kit.actions import OperatorAdmin
from grant_management.admin.kit.cut_off import CUT_OFF_SERVICE
from grant_management.admin.kit.listing import ListAdmin
from grant_management.admin.kit.reasons import NoteForm
from grant_management.models import Actor, Call, GrantFilter, Reason, Sweep

from ..world import make_operator, now

BY = Actor.operator("ann")


def url(page, *arguments):
    return reverse(f"admin:grant_management_{page}", args=arguments)


def text_of(client, page, *arguments):
    return client.get(url(page, *arguments)).content.decode()


def below(one):
    """The subclasses of a class, and theirs."""
    for child in one.__subclasses__():
        yield child
        yield from below(child)


def test_the_search_says_that_it_is_exact(admin_client, world):
    text = text_of(admin_client, "grant_changelist")
    assert 'placeholder="Exact ' in text
    said = re.search(
        r'aria-describedby="gm-search-help"[^>]*>.*?id="gm-search-help"[^>]*>([^<]+)<', text, re.S
    )
    assert said[1].startswith("Only exact matches are found.")


def test_a_row_leads_to_the_grant_to_the_person_and_to_the_client(admin_client, world):
    grant = world.grant()
    row = re.search(r"<tr data-row>.*?</tr>", text_of(admin_client, "grant_changelist"), re.S)[0]
    links = re.findall(r'<a href="([^"]+)">(?:<bdi[^>]*>)?(<code)?', row)
    assert links == [
        (url("grant_change", grant.pk), "<code"),
        (url("grant_person", grant.pk), ""),
        (url("client_change", world.client.pk), ""),
    ]


def test_a_grant_that_is_found_is_named_as_its_page(admin_client, world):
    grant = world.grant()
    page = admin_client.post(url("grant_find"), {"text": grant.grant_id})
    assert f"Budget App for {grant.subject}</a>" in page.content.decode()


def test_the_buttons_for_the_selected_come_after_the_rows(admin_client, world):
    """And Enter in a checkbox presses none of one row."""
    grant = world.grant()
    text = text_of(admin_client, "grant_person", grant.pk)
    form = text[text.index(url("grant_revoke_many", grant.pk)) :]
    assert form.rindex('name="grant"') < form.index('value="selected"')
    assert re.search(r"<button[^>]*>", form)[0] == '<button type="submit" hidden>'


def test_who_may_not_see_clients_gets_no_link_to_one(client, django_user_model, world):
    world.grant()
    user = make_operator(django_user_model, "eve")
    user.user_permissions.set(Permission.objects.filter(codename="view_grant"))
    client.force_login(user)
    text = text_of(client, "grant_changelist")
    assert "Budget App" in text
    assert url("client_change", world.client.pk) not in text


@pytest.mark.parametrize("page", ["grant", "service"])
def test_the_tester_is_named_by_what_one_does_there(admin_client, world, page):
    row = world.grant() if page == "grant" else world.service
    shown = admin_client.get(url(f"{page}_change", row.pk))
    named = {str(label): address for label, address in shown.context["buttons"]}
    tester = admin_client.get(named["Try a call: what would be answered?"])
    assert str(tester.context["title"]) == "Try a call: what would be answered?"
    assert "Fill in a call as a resource server would send it." in tester.content.decode()


def folded(text):
    """The parts of a page that are closed, by their headings."""
    found = re.findall(
        r'<details class="gm-fold"( open)?><summary><h2>(.*?)</h2></summary>(.*?)</details>\n',
        text,
        re.S,
    )
    return {name: (bool(is_open), inside) for is_open, name, inside in found}


class TestTheClientsPage:
    """Short: the figures, the facts and the danger zone; the others are a click away."""

    @pytest.fixture
    def shown(self, admin_client, world):
        world.service.call_log_size = 100
        world.service.save()
        grants = [world.grant(), world.grant()]
        Call.objects.create(service=world.service, at=now(), code="A281305", client_id="app-1")
        grants[0].revoke(BY, Reason("other"))

        def show(query=""):
            address = url("client_change", world.client.pk) + query
            return admin_client.get(address).content.decode()

        return show

    def test_what_is_closed_says_how_much_there_is(self, shown):
        parts = folded(shown())
        assert list(parts) == [
            "Newest grants (2)",
            "Newest calls (1)",
            "Newest events (1)",
            "Charts · Refused calls by code (1)",
            "What people are told (0)",
        ]
        assert not any(is_open for is_open, _inside in parts.values())

    def test_what_is_looked_for_first_is_not_in_them(self, shown):
        text = shown()
        before = text[: text.index('class="gm-fold"')]
        for one in ("gm-figures", "Facts", 'class="gm-danger"'):
            assert one in before

    def test_an_address_leads_into_them(self, shown):
        """A browser opens the part that has the element: so it is no heading in a summary."""
        parts = folded(shown())
        for part, name in zip(
            parts.values(), ("", "newest-calls", "events", "charts"), strict=False
        ):
            assert name == "" or f'id="gm-{name}"' in part[1]
        text = shown()
        names = re.findall(r'\bid="([^"]+)"', text)
        assert len(names) == len(set(names))

    def test_another_period_leaves_the_charts_open(self, shown):
        parts = folded(shown("?period=7d"))
        assert [name for name, (is_open, _) in parts.items() if is_open] == [
            "Charts · Refused calls by code (1)"
        ]
        assert 'href="?period=24h#gm-charts"' in shown("?period=7d")


def test_what_to_type_is_said_once(admin_client, world):
    for _ in range(11):
        world.grant()
    wanted = {"service": world.service.pk, "client": "app-1"}
    text = admin_client.post(url("sweep_check"), wanted).content.decode()
    assert text.count("To confirm") == 1
    assert "To confirm, type 11</label>" in text


def test_people_are_listed_for_a_reason_that_the_page_says(admin_client, world):
    world.grant()
    assert "Each person with a stored grant is listed once" in text_of(admin_client, "grant_people")


def test_the_first_call_says_what_it_does_and_how_one_sees_it(admin_client, world):
    text = text_of(admin_client, "organization_first_run")
    assert "It makes one call with the API token" in text
    assert "That it arrived is seen in two places" in text


def test_the_list_of_the_app_has_the_words_of_the_navigation(admin_client, db):
    text = admin_client.get(reverse("admin:app_list", args=["grant_management"])).content.decode()
    names = re.findall(r'<th scope="row" id="grant_management-(\w+)">\s*<a [^>]*>([^<]+)', text)
    named = dict(names)
    assert list(named.values()) == sorted(named.values(), key=str.casefold)
    assert (named["sweep"], named["organizationmember"]) == ("Jobs", "Operators")
    assert "evokes by filter" not in text


class TestRoles:
    """Django's groups, in the words of the console."""

    def asked(self, admin_client, **data):
        roles = Group.objects.order_by("pk")[:2]
        sent = {"action": "delete_selected", "_selected_action": [one.pk for one in roles]}
        page = admin_client.post(reverse("admin:auth_group_changelist"), sent | data, follow=True)
        return roles, page.content.decode().partition("<main")[2]

    def test_they_are_deleted_as_roles(self, admin_client, admin_user):
        role = Group.objects.order_by("pk")[0]
        admin_user.groups.add(role)
        roles, text = self.asked(admin_client)
        for one in roles:
            address = reverse("admin:auth_group_change", args=[one.pk])
            assert f'<li>Role: <a href="{address}">{one.name}</a></li>' in text
        for said in ("Roles: 2", "Users who have them: 1"):
            assert f"<li>{said}</li>" in text
        assert "roup" not in re.sub("<[^>]*>", "", text)
        number = Group.objects.count()
        _roles, text = self.asked(admin_client, post="yes")
        assert "Successfully deleted 2 roles." in text
        assert Group.objects.count() == number - 2

    def test_one_alone(self, admin_client, db):
        role = Group.objects.order_by("pk")[0]
        text = admin_client.get(reverse("admin:auth_group_delete", args=[role.pk]))
        assert "<li>Role: <a " in text.content.decode()

    def test_they_are_checkboxes_of_a_user(self, admin_client, admin_user):
        role = Group.objects.order_by("pk")[0]
        address = reverse("admin:auth_user_change", args=[admin_user.pk])
        text = admin_client.get(address).content.decode()
        box = f'<input type="checkbox" name="groups" value="{role.pk}"'
        assert box in text
        help_text = re.search(
            r"field-groups.*?</fieldset>|field-groups.*?field-user_per", text, re.S
        )
        assert "Control" not in help_text[0].partition("field-user_per")[0]


def test_a_reason_is_chosen_in_one_way():
    asking = {one for one in below(NoteForm) if "reason" in one.base_fields}
    assert len(asking) > 5
    others = {
        one for one in asking if not isinstance(one.base_fields["reason"].widget, forms.RadioSelect)
    }
    assert others == set()


@pytest.mark.parametrize("model", ["client", "service"])
def test_what_stops_stands_apart_beside_what_it_does(admin_client, world, model):
    page = admin_client.get(url(f"{model}_change", getattr(world, model).pk))
    assert not [one for _label, one in page.context["buttons"] if "cut-off" in one or "lock" in one]
    text = page.content.decode()
    zone = re.search(r'<section class="gm-danger".*?</section>', text, re.S)[0]
    for label, address, said in page.context["dangers"]:
        number = re.search(rf'href="{address}" aria-describedby="(gm-danger-\d)">{label}', zone)[1]
        assert f'<span id="{number}">{said}</span>' in zone
    assert len(page.context["dangers"]) == {"client": 2, "service": 1}[model]


def test_each_action_that_counts_what_it_stops_says_so_beside_its_button():
    """Of a grant, the page is about what it holds, and the action is why one comes."""
    pages = [one for one in admin.site._registry.values() if isinstance(one, OperatorAdmin)]
    actions = set(chain.from_iterable(one.object_actions for one in pages))
    assert CUT_OFF_SERVICE in actions
    assert {one.name for one in actions if one.stops and not one.warns} == {"revoke"}


def test_the_check_says_that_it_changes_nothing(admin_client, world):
    text = text_of(admin_client, "sweep_start")
    assert 'value="Check" aria-describedby="gm-only-counts"' in text
    assert re.search(r'id="gm-only-counts">[^<]*Nothing changes\.<', text)


def test_a_report_before_the_end_is_one_so_far(admin_client, world):
    world.grant()
    wanted = GrantFilter(world.service, world.client)
    sweep = Sweep.objects.start(wanted, BY, Reason("other"), expected=1)
    assert "Report so far (CSV)" in text_of(admin_client, "sweep_change", sweep.pk)
    Sweep.objects.update(finished_at=now())
    text = text_of(admin_client, "sweep_change", sweep.pk)
    assert "so far" not in text
    assert "Report (CSV)" in text


def test_no_label_is_a_question_word():
    labels = set()
    with translation.override("en"):
        for one in admin.site._registry.values():
            if isinstance(one, ListAdmin):
                labels |= {str(column.label) for column in one.columns}
                labels |= {str(field.label) for field in one.list_form.base_fields.values()}
    assert len(labels) > 30
    assert labels & {"What", "Who", "Which", "Where", "Why", "In detail"} == set()


def test_the_day_of_the_overview_begins_where_it_says(admin_client, admin_user, world):
    page = admin_client.get(url("dailycount_changelist"))
    note = page.context["figures"][1][0].note
    assert re.match(r"since \d{4}-\d\d-\d\d 00:00:00 UTC; ", note)
    admin_client.post(url("operatorpreference_changelist"), {"time_zone": "Asia/Tokyo"})
    page = admin_client.get(url("dailycount_changelist"))
    assert " 09:00:00 " in page.context["figures"][1][0].note


def test_each_open_step_of_the_first_run_leads_to_where_it_is_done(admin_client, db):
    page = admin_client.get(url("organization_first_run"))
    text = page.content.decode()
    steps = page.context["steps"]
    assert [bool(one.done) for one in steps] == [False] * 4
    for one in steps:
        assert f'href="{one.url}"'.replace("&", "&amp;") in text


def test_users_and_roles_have_plain_words(admin_client, admin_user):
    pages = [
        ("auth_user_changelist", ()),
        ("auth_user_change", (admin_user.pk,)),
        ("auth_group_changelist", ()),
    ]
    for page, arguments in pages:
        text = admin_client.get(reverse(f"admin:{page}", args=arguments)).content.decode()
        for word in ("staff status", "superuser status", "Designates", "group to change"):
            assert word not in text.replace("Staff", "staff").replace("Superuser", "superuser"), (
                page
            )


def test_a_ready_view_keeps_the_service(admin_client, world):
    page = admin_client.get(f"{url('grantevent_changelist')}?service={world.service.pk}")
    address = f"?service={world.service.pk}&amp;kind=revoked&amp;actor_kind=operator"
    assert f'href="{address}"' in page.content.decode()
    page = admin_client.get(url("grantevent_changelist") + address.replace("&amp;", "&"))
    assert f'href="{address}" aria-current="true"' in page.content.decode()
