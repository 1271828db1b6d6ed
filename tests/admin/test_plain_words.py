"""Descriptions and profiles in the admin: forms in several languages, and logos."""

import base64
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from grant_management.models import (
    ClientProfile,
    Description,
    Grant,
    GrantEvent,
    Logo,
    Organization,
)

from ..doors import logo_in_base64
from ..ours import connection
from ..world import BY_TEST, make_operator, make_world

TEXTS = [{"language": "en", "name": "Accounts"}, {"language": "de", "name": "Konten"}]


@pytest.fixture
def admin(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("ann"))
    return client


def url(model, page, *arguments):
    return reverse(f"admin:grant_management_{model}_{page}", args=arguments)


def sent(texts, **more):
    data = {"reason": "other"} | more
    for number, text in enumerate(texts):
        data |= {f"{name}_{number}": value for name, value in text.items()}
    return data


def test_the_form_has_each_language_and_room_for_more(admin, world):
    row = Description.objects.put(world.service, "scope", "accounts", BY_TEST, texts=TEXTS)
    form = admin.get(url("description", "edit", row.pk)).context["form"]
    assert [form.initial.get(f"name_{n}", form.fields[f"name_{n}"].initial) for n in range(4)] == [
        "Accounts",
        "Konten",
        "",
        "",
    ]


def test_a_language_is_added_and_another_taken_away(admin, world):
    row = Description.objects.put(world.service, "scope", "accounts", BY_TEST, texts=TEXTS)
    new = [TEXTS[0], {"language": "", "name": ""}, {"language": "JA", "name": "口座"}]
    response = admin.post(url("description", "edit", row.pk), sent(new, sensitivity="high"))
    assert response.status_code == 302
    row.refresh_from_db()
    assert [text["language"] for text in row.texts] == ["en", "ja"]
    event = GrantEvent.objects.order_by("pk").last()
    assert (event.kind, event.actor, event.reason) == ("description_changed", "ann", "other")


@pytest.mark.parametrize(
    "text", [{"language": "e", "name": "x"}, {"language": "en"}, {"language": "", "name": "x"}]
)
def test_what_the_api_refuses_is_refused(admin, world, text):
    row = Description.objects.put(world.service, "scope", "accounts", BY_TEST, texts=TEXTS)
    page = admin.post(url("description", "edit", row.pk), sent([text], sensitivity="low"))
    assert page.status_code == 200
    assert b"It must be an array" in page.content
    row.refresh_from_db()
    assert row.texts == TEXTS


def logo_file(data, name="logo.png"):
    return SimpleUploadedFile(name, data, "image/png")


def test_a_logo_is_uploaded_shown_and_deleted(admin, world):
    data = sent([{"language": "en", "name": "Budget"}], service=world.service.pk, client_id="app-1")
    file = logo_file(base64.b64decode(logo_in_base64()))
    assert (
        admin.post(url("clientprofile", "describe"), data | {"logo_file": file}).status_code == 302
    )
    assert b"/logo/?" in admin.get(url("clientprofile", "change", world.client.pk)).content
    edit = url("clientprofile", "edit", world.client.pk)
    assert admin.post(edit, sent([TEXTS[0]])).status_code == 302
    assert Logo.objects.exists()
    admin.post(edit, sent([TEXTS[0]], without_logo="on"))
    assert not Logo.objects.exists()
    assert admin.get(url("clientprofile", "logo", world.client.pk)).status_code == 404


@pytest.mark.parametrize("content", [b"x", b"<svg/>", b"\x89PNG" + b"x" * 200_000])
def test_what_is_no_logo(admin, world, content):
    data = sent([], service=world.service.pk, client_id="app-1")
    page = admin.post(url("clientprofile", "describe"), data | {"logo_file": logo_file(content)})
    assert b"It must be a PNG, JPEG or WebP" in page.content
    assert not ClientProfile.objects.exists()
    assert not Logo.objects.exists()


def test_operators_see_their_organization_alone(client, world, django_user_model):
    """In lists, by URL and in forms."""
    stranger = make_operator(django_user_model, organization=Organization.objects.create(name="B"))
    stranger.is_superuser = False
    stranger.save()
    from django.contrib.auth.models import Permission

    names = ["description", "clientprofile"]
    for name in names:
        for act in ("view", "change"):
            stranger.user_permissions.add(Permission.objects.get(codename=f"{act}_{name}"))
    row = Description.objects.put(world.service, "scope", "accounts", BY_TEST, texts=TEXTS)
    ClientProfile.objects.put(world.client, BY_TEST, texts=TEXTS)
    client.force_login(stranger)
    assert b"accounts" not in client.get(url("description", "changelist")).content
    for page in ("edit", "remove"):
        assert client.get(url("description", page, row.pk)).status_code == 404
    for page in ("edit", "logo"):
        assert client.get(url("clientprofile", page, world.client.pk)).status_code == 404
    data = sent(TEXTS, service=world.service.pk, kind="scope", name="other", sensitivity="low")
    assert client.post(url("description", "describe"), data).status_code == 200
    data = sent(TEXTS, service=world.service.pk, client_id="app-1")
    assert client.post(url("clientprofile", "describe"), data).status_code == 200
    assert Description.objects.count() == 1


def test_a_deleted_service_is_not_described(admin, world):
    from grant_management.models import Reason

    row = Description.objects.put(world.service, "scope", "accounts", BY_TEST, texts=TEXTS)
    other = make_world()
    world.service.hide(BY_TEST, Reason(""))
    assert admin.get(url("description", "edit", row.pk)).status_code == 404
    data = sent(TEXTS, service=other.service.pk, client_id="nobody")
    assert admin.post(url("clientprofile", "describe"), data).status_code == 200


def lists_in(text):
    """What grants may, of those rows that a page has: at once, and after a click."""
    return re.findall(r'<ul class="gm-may">(.*?)</ul>', text)


class TestWhatGrantsAllow:
    """On the pages of a person, a client and a grant, in the language of the page."""

    @pytest.fixture
    def grant(self, world):
        texts = [
            {"language": "en", "name": "See <accounts>", "sentence": "Balances too."},
            {"language": "de", "name": "Konten sehen", "sentence": "Auch Salden."},
        ]
        describe = Description.objects.put
        describe(world.service, "scope", "z.accounts", BY_TEST, texts=texts, sensitivity="high")
        words = [{"language": "en", "name": "Pay a bill", "sentence": "Once."}]
        describe(world.service, "authorization_type", "payment", BY_TEST, texts=words)
        describe(make_world().service, "scope", "b.other", BY_TEST, texts=TEXTS)
        scopes = '[{"scope":"a.first b.other c d e f g z.accounts"}]'
        return world.grant(scopes=scopes, authorization_details='[{"type":"payment","x":1}]')

    @pytest.mark.parametrize("page", ["grant_person", "client_change"])
    def test_the_most_sensitive_first(self, admin, world, grant, page):
        key = grant.pk if page == "grant_person" else world.client.pk
        text = admin.get(reverse(f"admin:grant_management_{page}", args=[key])).content.decode()
        assert '</ul> <details class="gm-rest"><summary>and 6 more</summary>' in text
        first, rest = (re.findall("<li>(.*?)</li>", one) for one in lists_in(text))
        named = '<bdi lang="en" title="z.accounts">See &lt;accounts&gt;</bdi> <em>sensitive</em>'
        paid = '<bdi lang="en" title="payment">Pay a bill</bdi>'
        code = "<code>{}</code>".format
        assert first == [named, code("a.first"), code("b.other")]
        assert rest == [*map(code, "cdefg"), paid]

    def test_one_more_is_not_folded(self, admin, world):
        """What one would click is as long as what it would show."""
        page = url("client", "change", world.client.pk)
        for scopes, lists in (("a b c d", 1), ("a b c d e", 2)):
            Grant.objects.all().delete()
            world.grant(scopes=f'[{{"scope":"{scopes}"}}]')
            assert len(lists_in(admin.get(page).content.decode())) == lists

    def test_a_row_has_a_limit(self, admin, world):
        scopes = " ".join(f"scope-{number:03}" for number in range(60))
        grant = world.grant(scopes=f'[{{"scope":"{scopes}"}}]')
        text = admin.get(reverse("admin:grant_management_grant_person", args=[grant.pk]))
        _first, rest = (
            re.findall("<li>(.*?)</li>", one) for one in lists_in(text.content.decode())
        )
        assert (len(rest), rest[-1]) == (21, "37 more")

    def test_in_the_list_of_grants(self, admin, world, grant):
        """Of all services in one statement; and the client leads to its page."""
        other = make_world()
        put = Description.objects.put
        put(other.service, "scope", "z.accounts", BY_TEST, texts=[{"language": "en", "name": "B"}])
        for _ in range(3):
            other.grant(scopes='[{"scope":"z.accounts unknown"}]')
        with CaptureQueriesContext(connection) as made:
            text = admin.get(url("grant", "changelist")).content.decode()
        assert sum("grant_management_description" in one["sql"] for one in made) == 1
        assert '<bdi lang="en" title="z.accounts">See &lt;accounts&gt;</bdi>' in text
        assert '<bdi lang="en" title="payment">Pay a bill</bdi>' in text
        assert text.count('<bdi lang="en" title="z.accounts">B</bdi>') == 3
        assert text.count("<code>unknown</code>") == 3
        for one in (world, other):
            assert f'<a href="{url("client", "change", one.client.pk)}"><bdi' in text

    def test_in_the_language_of_the_page(self, admin, world, grant):
        page = reverse("admin:grant_management_grant_person", args=[grant.pk])
        with override("de"):
            text = admin.get(page).content.decode()
        assert '<bdi lang="de" title="z.accounts">Konten sehen</bdi>' in text

    def test_a_grant(self, admin, world, grant):
        text = admin.get(url("grant", "change", grant.pk)).content.decode()
        assert "<strong>See &lt;accounts&gt;</strong> Balances too.</bdi>" in text
        assert "<strong>Pay a bill</strong> Once.</bdi>" in text
        assert "<code>b.other</code>" in text
        assert "Accounts</strong>" not in text

    def test_two_statements_for_any_number_of_grants(self, admin, world, grant):
        page = reverse("admin:grant_management_grant_person", args=[grant.pk])
        numbers = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as made:
                admin.get(page)
            numbers.append(sum("grant_management_description" in one["sql"] for one in made))
            for _ in range(5):
                world.grant(scopes='[{"scope":"z.accounts"}]')
        assert numbers == [1, 1]


class TestOnTheClientsPage:
    """What people are told of a client, and the way to change it."""

    TEXT = {
        "language": "en",
        "name": "Budget <b>App</b>",
        "site": "https://budget.example/",
        "contact": "help@budget.example",
        "terms": "https://budget.example/terms",
    }

    def told(self, http, world):
        page = http.get(url("client", "change", world.client.pk))
        return page, {str(name): value for name, value in page.context.get("told") or ()}

    def test_all_of_it(self, admin, world):
        logo = base64.b64decode(logo_in_base64())
        ClientProfile.objects.put(world.client, BY_TEST, texts=[self.TEXT], logo=logo)
        page, told = self.told(admin, world)
        assert list(told) == ["Logo", "Name", "Site", "Contact", "Terms of use"]
        assert "Budget &lt;b&gt;App&lt;/b&gt;" in told["Name"]
        assert 'href="https://budget.example/" rel="noopener noreferrer nofollow"' in told["Site"]
        assert 'href="mailto:help@budget.example"' in told["Contact"]
        assert "https://budget.example/terms" in told["Terms of use"]
        (source,) = re.findall(r'src="([^"]+)"', told["Logo"])
        assert admin.get(source)["Content-Type"].startswith("image/")
        label, link = page.context["profile"]
        assert (str(label), link) == (
            "Change profile…",
            url("clientprofile", "edit", world.client.pk),
        )
        assert admin.get(link).status_code == 200

    def test_nothing_yet(self, admin, world):
        """The form begins with this client."""
        page, told = self.told(admin, world)
        assert told == {}
        assert "Nothing but its client ID and its name." in page.content.decode()
        label, link = page.context["profile"]
        assert str(label) == "Add profile…"
        form = admin.get(link).context["form"]
        assert form.initial == {"service": world.service.pk, "client_id": "app-1"}
        for key in ("", "x", "1", "9" * 30, "\0"):
            form = admin.get(url("clientprofile", "describe"), {"client": key}).context["form"]
            assert form.initial == {}

    @pytest.mark.parametrize(("right", "shown"), [("", None), ("view_clientprofile", "Profile")])
    def test_only_for_those_who_may(self, client, django_user_model, world, right, shown):
        from django.contrib.auth.models import Permission

        ClientProfile.objects.put(world.client, BY_TEST, texts=[self.TEXT])
        user = make_operator(django_user_model, "eve")
        rights = Permission.objects.filter(codename__in=["view_client", right])
        user.user_permissions.set(rights)
        client.force_login(user)
        page, told = self.told(client, world)
        assert ("Name" in told) == bool(right)
        assert ("https://budget.example" in page.content.decode()) == bool(right)
        if shown:
            label, link = page.context["profile"]
            assert (str(label), client.get(link).status_code) == (shown, 200)


def test_a_refused_code_leads_to_what_to_do(admin, world):
    from grant_management.conf import DOCUMENTS
    from grant_management.models import Call

    from ..world import now

    world.service.call_log_size = 100
    world.service.save()
    Call.objects.create(
        service=world.service, code="A281305", at=now(), client_id="app-1", action="QUERY"
    )
    for page in (url("client", "change", world.client.pk), url("dailycount", "changelist")):
        text = admin.get(page).content.decode()
        assert f'href="{DOCUMENTS}/reference/codes.md#a281305"' in text
        assert 'aria-label="A281305: what to do, in the documents"' in text
