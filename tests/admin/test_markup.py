"""HTML that is made of pieces is escaped as Django escapes it, and what is the same in each row of
a list is made once.
"""

import pytest
from django.contrib.admin import site
from django.contrib.admin.templatetags.admin_list import result_list
from django.urls import NoReverseMatch, set_script_prefix
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from grant_management.admin.kit.address import addresses
from grant_management.admin.kit.display import state
from grant_management.admin.kit.markup import Around, joined, safe
from grant_management.admin.kit.short_list import ShortListAdmin
from grant_management.admin.kit.short_table import table
from grant_management.models import Description

from ..test_roles import fill
from ..world import BY_TEST, make_operator

HOSTILE = "<b>\"'&amp;</b>"
GRANTS = "admin:grant_management_grant_changelist"


class OfItsOwn:
    def __html__(self):
        return "<i>own</i>"


class Text(str):
    """A text of another type, such as an enum's value."""


@pytest.mark.parametrize(
    "value",
    [
        HOSTILE,
        "",
        Text(HOSTILE),
        format_html("<b>{}</b>", HOSTILE),
        OfItsOwn(),
        7,
        None,
        gettext_lazy("Yes"),
        gettext_lazy(HOSTILE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_escaped_as_by_django(value):
    assert safe(value) == conditional_escape(value)
    assert type(safe(HOSTILE)) is SafeString
    around = Around(format_html("<{}>", "p"), format_html("</{}>", "p"))
    assert around.put(value) == format_html("<p>{}</p>", value)


def test_a_piece_that_is_no_html_is_escaped():
    """What nobody escaped is never shown as it is."""
    shown = joined([safe("a"), HOSTILE, safe("b")])
    assert conditional_escape(shown) == conditional_escape(f"a{HOSTILE}b")


def test_a_state_is_known_by_its_words_and_by_whether_they_are_html():
    assert "<b>x</b>" in state("passed", format_html("<b>{}</b>", "x"))
    assert "&lt;b&gt;x&lt;/b&gt;" in state("passed", "<b>x</b>")


def rows_of(context):
    return ["".join(row) for row in context["results"]]


@pytest.mark.parametrize(
    "pages",
    [page for page in site._registry.values() if isinstance(page, ShortListAdmin)],
    ids=lambda pages: pages.opts.model_name,
)
def test_the_table_of_a_short_list_is_what_django_makes(
    admin_client, django_user_model, world, pages
):
    fill(world)
    make_operator(django_user_model, organization=world.service.organization)
    Description.objects.put(world.service, "scope", HOSTILE, BY_TEST, texts=[])
    cl = admin_client.get(pages.url("changelist")).context["cl"]
    assert rows_of(table(cl)) == rows_of(result_list(cl))
    made = table(cl)["results"]
    assert made
    # Django's has cells one by one, as has a list whose rows are chosen.
    assert (len(made[0]) == 1) == ("action_checkbox" not in cl.list_display)


def test_its_links_lead_back_to_the_filtered_list(admin_client, world):
    Description.objects.put(world.service, "scope", HOSTILE, BY_TEST, texts=[])
    pages = site._registry[Description]
    cl = admin_client.get(pages.url("changelist"), {"kind__exact": "scope"}).context["cl"]
    assert "_changelist_filters=kind__exact" in rows_of(table(cl))[0]
    assert rows_of(table(cl)) == rows_of(result_list(cl))
    popup = admin_client.get(pages.url("changelist"), {"_popup": "1"}).context["cl"]
    assert "data-popup-opener" in rows_of(table(popup))[0]


def test_an_address_is_that_of_the_place_where_the_host_is():
    assert addresses("admin")[GRANTS] == "/admin/grant_management/grant/"
    set_script_prefix("/below/")
    try:
        assert addresses("admin")[GRANTS] == "/below/admin/grant_management/grant/"
    finally:
        set_script_prefix("/")
    with pytest.raises(NoReverseMatch):
        addresses("admin")["admin:nothing"]
