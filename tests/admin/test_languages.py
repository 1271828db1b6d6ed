"""The console in German and in Japanese: no English word of ours is on a page; and who chooses."""

import gettext
import re
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client as HTTP
from django.test import override_settings
from django.urls import reverse
from django.utils import translation

from grant_management.fields import members as m
from grant_management.fields.words import read_for_page
from grant_management.models import (
    Actor,
    ApiToken,
    Call,
    Client,
    Description,
    DPoPNonce,
    Grant,
    GrantEvent,
    OperatorPreference,
    Organization,
    OrganizationMember,
    Service,
    SigningKey,
    Stream,
    Sweep,
    Webhook,
    WebhookDelivery,
)
from grant_management.roles import VIEWER

from ..standalone import ROOT
from ..test_roles import fill
from ..world import now
from .pages_in_words import Texts, crawl, names_of_urls
from .wide_letters import in_wide_letters

LANGUAGES = ("de", "ja")
NAME = "9001"
"""The name of everything in these tests: it is no English word."""
CHOOSE = "admin:grant_management_operatorpreference_changelist"
# A word on its own: no part of a name such as `call_log_size`, `client.locked` or `first-call.sh`.
WORD = re.compile(r"(?<![\w.])[^\W\d_]{2,}(?![\w]|\.\w|(?:-\w+)*\.\w)")
IDS = (
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",  # a UUID
    r"(?<![\w-])[A-Za-z0-9_-]{43}(?![\w-])",  # a grant's, with all its characters
    r"(?<![\w-])[A-Za-z0-9_-]{8}…[A-Za-z0-9_-]{8}(?![\w-])",  # one that is cut
)
NO_TEXT = re.compile("|".join((r"%\(\w+\)s", r"\{\w*\}", r"https?://\S+", *IDS)))
"""What is filled in, addresses and IDs: letters of an ID may by chance look like a word."""
NAMES = frozenset(("Go", "QUERY", "REVOKE", "Control", "Command"))
"""Words that are names: a programming language, actions of the API, and keys of a keyboard."""
SAME_EVERYWHERE = frozenset(
    [
        "UTC",
        "JSON",
        "HTTP",
        "openid",
        "curl",
        "TypeScript",
        "Python",
        "Java",
        "English",
        "Deutsch",
        "gmAction",
        "grantId",
        "accessToken",
        "dpop",
        "clientCertificate",
        "htm",
        "htu",
        "dpopNonceRequired",
        "ES256",
        "ES384",
        "ES512",
        "PS256",
        "PS384",
        "PS512",
        "RS256",
        "RS384",
        "RS512",
        "EdDSA",
        "Ed25519",
    ]
)
"""Words that no language translates: names of programs, of languages, and of members of the API."""
ASCII_WORD = re.compile(r"(?<![\w.])[A-Za-z]{2,}(?![\w]|\.\w|(?:-\w+)*\.\w)")
FILES = (
    "_export",
    "_export_csv",
    "_export_jsonl",
    "_report.csv",
    "_report.json",
    "_receipt",
    "_receipt_file",
    "_content",
    "_details",
    "_logo",
)
SCRIPTS = ("_utc", "_arrived", "_suggest", "_progress")
POSTS = ("_columns", "_save_view", "_delete_view", "_pause", "_resume", "_receipt_many", "_check")
STOCK = ("_add", "_delete")
"""Django's pages that make and delete rows: every model of ours refuses them."""


def texts(language):
    """The catalogue: pairs of an English text and the other one."""
    path = ROOT / f"grant_management/locale/{language}/LC_MESSAGES/django.mo"
    with path.open("rb") as stream:
        catalogue = gettext.GNUTranslations(stream)._catalog
    for key, other in catalogue.items():
        text = key if isinstance(key, str) else key[0]
        if text:
            yield text.rpartition("\x04")[2], other


def words(text):
    found = WORD.findall(NO_TEXT.sub(" ", text))
    return {word.casefold() for word in found if word not in NAMES}


@pytest.fixture(scope="module")
def english():
    """Our English words that a language does not have, by language."""
    found = {}
    for language in LANGUAGES:
        pairs = list(texts(language))
        ours = set().union(*(words(text) for text, _other in pairs))
        found[language] = ours - set().union(*(words(other) for _text, other in pairs))
    return found


@pytest.fixture
def lived(world, admin_client, admin_user, settings):
    """Rows of every kind. Nothing has an English name."""
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys
    world.subject = NAME
    rows = fill(world)
    world.grant(expires_at=now())
    for model in (Organization, Service, Client, Description):
        model.objects.update(name=NAME)
    Client.objects.update(client_id=NAME)
    Sweep.objects.update(subject=NAME)
    Call.objects.update(client_id=NAME)
    _name(rows["grant"])
    ApiToken.objects.update(prefix=NAME)
    DPoPNonce.objects.update(value=NAME)
    get_user_model().objects.update(username=NAME)
    member = OrganizationMember.objects.create(user=admin_user, organization=None)
    rows |= {"organizationmember": member, **_webhook(world), "stream": _stream(world)}
    grant, actor = rows["grant"], Actor.operator(NAME)
    about = {"grant_id": grant.grant_id, "subject": NAME, "client_id": NAME}
    GrantEvent.objects.record("revoked", world.service.pk, now(), actor, **about)
    rows["locked"] = world.client_named("9002", name=NAME, locked_at=now())
    return rows


def _name(grant):
    """IDs of digits, in place of random ones, which may look like words."""
    for number, one in enumerate(Grant.objects.all()):
        Call.objects.filter(grant_id=one.grant_id).update(grant_id=f"9001{number}")
        Grant.objects.filter(pk=one.pk).update(grant_id=f"9001{number}")
    grant.refresh_from_db()


def _webhook(world):
    fields = {"signature": "v1", "url": "https://9001.example/9001"}
    webhook, _key = Webhook.objects.register(world.service, Actor.operator(NAME), **fields)
    times = {"created_at": now(), "dead_at": now()}
    delivery = WebhookDelivery.objects.create(
        webhook=webhook, event=uuid4(), type="grant.revoked", number=1, **times
    )
    return {"webhook": webhook, "webhookdelivery": delivery}


def _stream(world):
    """Of a receiver, with a key that signs."""
    SigningKey.objects.rotate(world.service, Actor.operator(NAME))
    token = ApiToken.objects.filter(service=world.service).first()
    return Stream.objects.register(token, world.service, Actor.operator(NAME), method="poll")


def urls_of(rows):
    """Pages that no link leads to from the first row of each list."""
    for model, row in rows.items():
        if model != "locked":
            yield reverse(f"admin:grant_management_{model}_history", args=[row.pk])
            yield reverse(f"admin:grant_management_{model}_change", args=[row.pk])
    yield reverse("admin:grant_management_client_unlock", args=[rows["locked"].pk])
    for name in ("disable", "edit", "enable", "remove", "replay", "rotate", "test"):
        yield reverse(f"admin:grant_management_webhook_{name}", args=[rows["webhook"].pk])
    for name in ("disable", "enable", "pause"):
        yield reverse(f"admin:grant_management_stream_{name}", args=[rows["stream"].pk])
    delivery = rows["webhookdelivery"].pk
    yield reverse("admin:grant_management_webhookdelivery_replay", args=[delivery])
    for name in ("change", "history"):  # pages that are not there
        yield reverse(f"admin:grant_management_dailycount_{name}", args=[9001])
    yield reverse("admin:grant_management_grant_change", args=[uuid4()])


def answers(http, rows):
    """Pages that answer a form: what was found, what is asked before it acts, and errors."""
    of_service, grant = [rows["service"].pk], rows["grant"].pk
    for name, arguments, sent in (
        ("grant_find", [], {"text": NAME}),
        ("grant_find", [], {"text": "A277001"}),
        ("grant_find", [], {"text": rows["accesstoken"].digest.hex()}),
        ("grant_find", [], {"text": "9003"}),
        ("sweep_check", [], {"service": rows["service"].pk, "subject": NAME}),
        ("sweep_check", [], {"service": rows["service"].pk, "created_before": "9001"}),
        ("sweep_check", [], {"service": rows["service"].pk}),
        ("grant_revoke_many", [grant], {"these": "all"}),
        ("grant_revoke_many", [grant], {"confirmed": "1", "grant": [grant], "reason": "other"}),
        ("grant_revoke", [grant], {"reason": "other"}),
        ("service_settings", of_service, {"dpop_max_age": "x", "reason": "other"}),
        ("service_what_if", of_service, {"gm_action": "QUERY", "access_token": "9001"}),
        ("client_create", [], {"client_id": "\x01"}),
        ("apitoken_rotate", [rows["apitoken"].pk], {"reason": "other"}),
    ):
        url = reverse(f"admin:grant_management_{name}", args=arguments)
        yield f"{name} {sent}", http.post(url, sent, follow=True).content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_word_is_on_a_page(admin_client, lived, english, language):
    with override_settings(LANGUAGE_CODE=language):
        pages = crawl(admin_client, urls_of(lived))
        shown = {**pages, **dict(answers(admin_client, lived))}
    left = names_of_urls() - pages.keys() - {"grant_management_grant_find"}
    others = (*FILES, *SCRIPTS, *POSTS, *STOCK, "_revoke_many")
    assert {name for name in left if not name.endswith(others)} == set()
    found = {
        (name, text): wrong
        for name, page in shown.items()
        for text in Texts(page).found
        if (wrong := words(text) & english[language])
    }
    assert found == {}


UNTRANSLATED = {
    "Reset password",
    "Raw passwords are not stored, so there is no way to see the user\u2019s password.",
}
"""What Django's own catalogues lack in Japanese."""


def of_users_and_roles(http, user):
    """Django's pages of users and roles, with words of ours: those of Django alone are not here."""
    for number, role in enumerate(Group.objects.order_by("pk")):
        Group.objects.filter(pk=role.pk).update(name=f"9001{number}")
        user.groups.add(role)
    http.force_login(user)
    for name, *arguments in (
        ("auth_user_changelist",),
        ("auth_user_change", user.pk),
        ("auth_user_history", user.pk),
        ("auth_group_changelist",),
        ("auth_group_add",),
        ("auth_group_change", role.pk),
        ("auth_group_history", role.pk),
    ):
        yield name, http.get(reverse(f"admin:{name}", args=arguments)).content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_word_is_on_users_and_roles(admin_client, lived, admin_user, english, language):
    admin_user.refresh_from_db()
    with override_settings(LANGUAGE_CODE=language):
        shown = dict(of_users_and_roles(admin_client, admin_user))
    found = {
        (name, text): wrong
        for name, page in shown.items()
        for text in set(Texts(page).found) - UNTRANSLATED
        if (wrong := words(text) & english[language])
    }
    assert found == {}


@override_settings(LANGUAGE_CODE="de")
def test_users_and_roles_say_the_roles_as_the_operators_form_does(admin_client, admin_user):
    admin_user.groups.add(Group.objects.get(name=VIEWER))
    for name, *arguments in (
        ("auth_user_changelist",),
        ("auth_user_change", admin_user.pk),
        ("auth_group_changelist",),
    ):
        page = admin_client.get(reverse(f"admin:{name}", args=arguments)).content.decode()
        said = " ".join(Texts(page).found)
        assert "Grant-Verwaltung: Ansehen" in said, name
        assert "Gruppe" not in said, name


def test_every_text_of_a_page_is_marked(admin_client, lived):
    """Each ASCII word of a page is data or a name: of a marked text, the letters are wide."""
    with in_wide_letters():
        pages = crawl(admin_client, urls_of(lived))
        shown = {**pages, **dict(answers(admin_client, lived))}
    found = {
        (name, text): wrong
        for name, page in shown.items()
        for text in Texts(page).found
        if (wrong := set(ASCII_WORD.findall(NO_TEXT.sub(" ", text))) - NAMES - SAME_EVERYWHERE)
    }
    assert found == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language):
    assert [text for text, other in texts(language) if not other] == []
    assert len(list(texts(language))) > 800


def test_a_script_has_no_words():
    """They are in templates, where they are translated."""
    for path in (ROOT / "grant_management/static").rglob("*.js"):
        code = re.sub(r"//.*", "", path.read_text())
        strings = re.findall(r'"([^"\n]*)"', code)
        sentences = [one for one in strings if re.search(r"[a-z] [a-z]", one) and "[" not in one]
        assert set(sentences) <= {"use strict", "input, select, textarea", "svg a"}, path
        said = r'(?:textContent|innerText|title|placeholder) = "[^"]*"|"aria-label", "|append\("|alert\('
        assert [one for one in re.findall(said, code) if "✓" not in one] == [], path


def test_the_keys_are_said_in_the_language_of_the_page(admin_client):
    with override_settings(LANGUAGE_CODE="ja"):
        page = admin_client.get(reverse(CHOOSE)).content.decode()
    assert '<dialog id="gm-keys" aria-label="キー">' in page
    assert "<dd>次の行</dd>" in page


class TestChoice:
    @pytest.fixture
    def japanese(self, admin_client):
        sent = {"time_zone": "UTC", "language": "ja"}
        page = admin_client.post(reverse(CHOOSE), sent, follow=True).content.decode()
        assert "言語を変更しました。" in page
        assert '<html lang="ja"' in page
        return admin_client

    def test_it_is_remembered_for_the_next_login(self, japanese, admin_user):
        again = HTTP()
        again.force_login(admin_user)
        assert "グラント管理" in again.get(reverse(CHOOSE)).content.decode()

    def test_every_page_of_the_site_is_in_it(self, japanese, world):
        for name in ("grant_management_service_changelist", "auth_user_changelist", "app_list"):
            arguments = ["auth"] if name == "app_list" else []
            page = japanese.get(reverse(f"admin:{name}", args=arguments)).content.decode()
            assert '<html lang="ja"' in page, name

    def test_what_is_said_after_an_act_is_in_it(self, japanese, world):
        url = reverse("admin:grant_management_client_lock", args=[world.client.pk])
        page = japanese.post(url, {"reason": "other"}, follow=True).content.decode()
        assert "完了しました。このページが控えです。" in page
        assert "Done. This page is the receipt." not in page

    def test_the_next_operator_has_another(self, japanese, django_user_model):
        other = django_user_model.objects.create_superuser("9009")
        http = HTTP()
        http.force_login(other)
        assert '<html lang="en"' in http.get(reverse(CHOOSE)).content.decode()
        assert translation.get_language() == "en"

    def test_the_api_stays_english(self, japanese, world, post):
        answer = post("/api/1/auth/gm", b"{}", api_token="x")
        assert answer.body["resultMessage"].isascii()
        with override_settings(LANGUAGE_CODE="ja"), translation.override("ja"):
            with pytest.raises(ValueError, match="must be a string of 1 to 255 characters"):
                m.NAME.read("")
            with pytest.raises(Exception, match="1〜255 文字"):
                read_for_page(lambda: m.NAME.read(""))

    @pytest.mark.parametrize("language", ["xx", "fr", "../de", "JA"])
    def test_no_language_is_made_up(self, admin_client, language):
        sent = {"time_zone": "UTC", "language": language}
        page = admin_client.post(reverse(CHOOSE), sent)
        assert page.context["form"].errors["language"]
        assert not OperatorPreference.objects.exists()

    def test_one_that_is_gone_is_that_of_the_host(self, admin_client, admin_user):
        OperatorPreference.objects.choose(admin_user, language="tlh")
        assert '<html lang="en"' in admin_client.get(reverse(CHOOSE)).content.decode()

    @pytest.mark.parametrize("changed", [{"LANGUAGES": [("de", "de")]}, {"USE_I18N": False}])
    def test_a_host_with_one_language_offers_none(self, admin_client, changed):
        with override_settings(LANGUAGE_CODE="de" if "LANGUAGES" in changed else "en", **changed):
            page = admin_client.get(reverse(CHOOSE))
        assert set(page.context["form"].fields) == {"time_zone"}
