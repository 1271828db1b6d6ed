"""What somebody sees who opens a page for the first time: what a button does, and where a link goes."""

import re
from itertools import chain

import pytest
from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils import translation

from grant_management.admin.kit.actions import OperatorAdmin
from grant_management.admin.kit.cut_off import CUT_OFF_SERVICE
from grant_management.admin.kit.listing import ListAdmin
from grant_management.admin.kit.reasons import NoteForm
from grant_management.models import Actor, GrantFilter, Reason, Sweep

from ..world import now

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


def test_a_row_leads_to_the_grant_by_its_id_and_to_the_person_by_the_subject(admin_client, world):
    grant = world.grant()
    row = re.search(r"<tr data-row>.*?</tr>", text_of(admin_client, "grant_changelist"), re.S)[0]
    links = re.findall(r'<a href="([^"]+)">(?:<bdi[^>]*>)?(<code)?', row)
    assert links == [(url("grant_change", grant.pk), "<code"), (url("grant_person", grant.pk), "")]


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
