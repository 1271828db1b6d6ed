"""The person's own pages: what they show, in three languages, and to nobody else."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.test import Client as HTTP
from django.urls import reverse
from django.utils.translation import trans_real

from grant_management.contrib import self_service
from grant_management.contrib.self_service import guard, urls
from grant_management.contrib.self_service.history import SENTENCES
from grant_management.models import (
    Actor,
    ClientProfile,
    Description,
    Grant,
    GrantEvent,
    Reason,
)
from grant_management.models.event import EventKind
from grant_management.protocol import logos

from ..doors import logo_in_base64
from ..self_service_site import CHANGES
from ..world import BY_TEST, make_world, now

CONTEXT = "self-service"
"""Of each string, so that no other app's translation of the same words is taken for it."""
FOLDER = Path(self_service.__file__).parent
APP = "grant_management.contrib.self_service"
NOBODYS = 9_007_199_254_740_991
NAMES = {
    "en": ("Your accounts", "See their numbers."),
    "de": ("Ihre Konten", "Ihre Nummern sehen."),
    "ja": ("口座", "口座番号を見る。"),
}


@pytest.fixture(autouse=True)
def site(settings):
    """The standalone project with the pages."""
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, APP]
    settings.ROOT_URLCONF = "tests.self_service_site"
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | CHANGES
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    trans_real._translations.clear()
    yield
    trans_real._translations.clear()


@pytest.fixture
def described(world):
    """A scope and a client in three languages, and the client's logo."""
    texts = [{"language": t, "name": n, "sentence": s} for t, (n, s) in NAMES.items()]
    Description.objects.put(world.service, "scope", "openid", BY_TEST, texts=texts)
    profile = [
        {"language": "en", "name": "Budget App", "site": "https://budget.example/"},
        {"language": "de", "name": "Haushaltsbuch", "contact": "hilfe@budget.example"},
    ]
    logo = logos.encoded(base64.b64decode(logo_in_base64()))
    ClientProfile.objects.put(world.client, BY_TEST, texts=profile, logo=logo)
    return world


@pytest.fixture
def person(world):
    """A request of a person, by default the one of the world: its response."""

    def ask(name, *arguments, method="get", of=None, subject="user-1", query="", **headers):
        headers["X-Person"] = f"{(of or world).service.pk} {subject}"
        url = reverse(f"grant_management_self_service:{name}", args=arguments)
        return getattr(HTTP(), method)(url + query, headers=headers)

    return ask


def text(response):
    """What a reader sees, without tags."""
    assert response.status_code == 200, response.content
    shown = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", shown)


class TestConnectedApps:
    def test_an_app(self, person, described):
        described.grant(last_used_at=now())
        page = text(person("apps"))
        for words in ("Connected apps", "Budget App", "Your accounts See their numbers.", "Since"):
            assert words in page
        assert "Until you remove it" in page

    def test_until_when(self, person, world):
        world.grant(expires_at=now() + timedelta(days=400))
        page = text(person("apps"))
        assert str((now() + timedelta(days=400)).year) in page
        assert "Until you remove it" not in page

    def test_one_entry_for_several_grants(self, person, world):
        for scope in ("a", "b"):
            world.grant(scopes=json.dumps([{"scope": scope}]))
        page = person("apps").content.decode()
        assert page.count('<li class="gms-card">') == 1
        assert "<bdi>a</bdi>" in page
        assert "<bdi>b</bdi>" in page

    def test_the_most_sensitive_first(self, person, world):
        """Of all grants of the app together."""
        for name, sensitivity in (("a", "low"), ("b", "medium"), ("c", "high")):
            put = Description.objects.put
            put(world.service, "scope", name, BY_TEST, sensitivity=sensitivity)
            world.grant(scopes=json.dumps([{"scope": name}]))
        page = person("apps").content.decode()
        assert re.findall("<bdi>([abc])</bdi>", page) == ["c", "b", "a"]
        assert page.count("Sensitive") == 1

    def test_what_is_not_described_has_its_own_name(self, person, world):
        details = '[{"type":"payment_initiation","amount":1.50}]'
        world.grant(authorization_details=details)
        page = text(person("apps"))
        assert "openid" in page
        assert "payment_initiation" in page

    def test_last_used_is_known_where_it_is_tracked(self, person, world):
        world.grant()
        assert "Not recorded" in text(person("apps"))
        world.service.track_last_used = True
        world.service.save()
        assert "Not used yet" in text(person("apps"))

    def test_what_ended_is_on_a_page_of_its_own(self, person, world):
        world.grant(revoked_at=now())
        world.grant(expires_at=now() - timedelta(minutes=1), client=world.client_named("late"))
        world.grant(client=world.client_named("cut", not_before=now()))
        assert "No app has access" in text(person("apps"))
        page = text(person("apps", query="?ended"))
        assert "No app has access" not in page
        for name in ("Budget App", "late", "cut"):
            assert name in page

    def test_a_locked_app_shows_as_such(self, person, world):
        world.grant(client=world.client_named("held", locked_at=now()))
        assert "Locked by the service" in text(person("apps"))

    def test_page_by_page(self, person, world):
        for number in range(45):
            created = now() - timedelta(hours=number + 1)
            client = world.client_named(f"c-{number}", name=f"App {number}.")
            world.grant(client=client, created_at=created)
        found = [
            re.findall(r"App \d+\.", text(person("apps", query=f"?page={n}"))) for n in (1, 2, 3)
        ]
        assert [len(set(one)) for one in found] == [20, 20, 5]
        assert len(set().union(*found)) == 45
        for odd in ("?page=x", "?page=-1", "?page=0", "?page=" + "9" * 30):
            assert person("apps", query=odd).status_code == 200

    def test_the_cost_does_not_grow(self, person, described, django_assert_max_num_queries):
        for number in range(20):
            client = described.client_named(f"c-{number}")
            for _ in range(3):
                described.grant(client=client)
        with django_assert_max_num_queries(10):
            person("apps")


class TestOneApp:
    def test_all_that_it_holds(self, person, described):
        resource = [{"scope": "openid", "resource": ["https://rs.example.com/api"]}]
        detail = [
            {"type": "payment", "amount": {"currency": "EUR", "value": "1.50"}, "no": [1, None]}
        ]
        described.grant(
            scopes=json.dumps(resource),
            claims='["email"]',
            authorization_details=json.dumps(detail),
        )
        page = text(person("app", described.client.pk))
        for words in ("https://rs.example.com/api", "currency : EUR", "1.50", "null", "email"):
            assert words in page, words
        assert "Your accounts" in page

    def test_site_contact_and_terms(self, person, described):
        described.grant()
        page = person("app", described.client.pk, **{"Accept-Language": "de"}).content.decode()
        assert 'href="https://budget.example/"' in page
        assert 'href="mailto:hilfe@budget.example"' in page
        assert 'lang="de"' in page
        assert "Haushaltsbuch" in page

    def test_logo(self, person, described):
        described.grant()
        page = person("app", described.client.pk).content.decode()
        digest = re.search(r"logos/([0-9a-f]{64})", page)[1]
        response = person("logo", digest)
        assert response["Content-Type"] == "image/png"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "private, max-age=31536000, immutable"

    def test_history(self, person, world):
        grant = world.grant()
        grant.change(
            grant.held().merged(type(grant.held()).read([{"scope": "write"}], None, None)),
            EventKind.MERGED,
            now(),
            Actor.client("app-1"),
        )
        page = text(person("app", world.client.pk))
        assert "More access was given. Added: write" in page

    @pytest.mark.parametrize(
        ("actor", "words"),
        [
            (Actor.subject("user-1"), "You removed the access."),
            (Actor.client("app-1"), "The app gave up the access."),
            (Actor.operator("ann", 1), "The access was removed by the service."),
        ],
    )
    def test_who_removed_it(self, person, world, actor, words):
        """But of an operator neither the name nor what was noted."""
        world.grant().revoke(actor, Reason("suspected fraud", "a note", "T-1"))
        page = text(person("app", world.client.pk))
        assert words in page
        for secret in ("ann", "fraud", "a note", "T-1"):
            assert secret not in page

    def test_the_whole_history(self, person, world):
        grant = world.grant()
        for _ in range(120):
            grant.record(EventKind.CREATED, now(), BY_TEST)
        assert "The whole history" in text(person("app", world.client.pk))
        pages = [text(person("history", world.client.pk, query=f"?page={n}")) for n in (1, 2, 3)]
        assert [page.count("Access was given.") for page in pages] == [50, 50, 20]

    def test_every_sentence_is_of_a_kind(self):
        assert set(SENTENCES) <= set(EventKind)

    def test_markup_is_text(self, person, world):
        nasty = "<script>alert(1)</script>"
        client = world.client_named("x", name=nasty)
        world.grant(
            client=client,
            claims=json.dumps([nasty]),
            authorization_details=json.dumps([{"type": nasty, nasty: nasty}]),
        )
        for name, *arguments in (("apps",), ("app", client.pk), ("remove", client.pk)):
            page = person(name, *arguments).content.decode()
            assert "<script" not in page
            assert "&lt;script&gt;" in page

    def test_long_contents(self, person, world, django_assert_max_num_queries):
        names = " ".join(f"scope-{number}" for number in range(300))
        details = [{"type": "t", "n": n, "text": "x" * 1_000} for n in range(200)]
        world.grant(
            scopes=json.dumps([{"scope": names}]), authorization_details=json.dumps(details)
        )
        with django_assert_max_num_queries(10):
            page = text(person("app", world.client.pk))
        assert "scope-299" in page
        assert page.count("x" * 1_000) == 200


class TestRemoving:
    def test_it_says_what_stops_and_asks_once(self, person, described):
        grant = described.grant()
        page = text(person("remove", described.client.pk))
        for words in ("Remove access of Budget App?", "Your accounts", "This stops at once."):
            assert words in page
        grant.refresh_from_db()
        assert grant.revoked_at is None
        response = person("remove", described.client.pk, method="post")
        assert response.status_code == 302
        shown = text(person("app", described.client.pk, query="?removed"))
        assert "The access of Budget App was removed." in shown
        assert "You removed the access." in shown

    def test_it_revokes_by_the_shared_path(self, person, world, call):
        grants = [world.grant(), world.grant(pending=True), world.grant(expires_at=now())]
        token, other = world.token(grants[0]), world.grant(subject="user-2")
        loose = world.token(subject="user-1")
        for _ in range(2):
            person("remove", world.client.pk, method="post")
        events = GrantEvent.objects.filter(kind="revoked")
        assert {(event.actor_kind, event.actor) for event in events} == {("subject", "user-1")}
        assert sorted(event.grant_id for event in events) == sorted(one.grant_id for one in grants)
        assert GrantEvent.objects.filter(kind="tokens_revoked").count() == 1
        query = {"gmAction": "QUERY", "grantId": grants[0].grant_id}
        assert call(accessToken=token, **query).code == "A280303"
        assert call(accessToken=loose, **query).code == "A280302"
        other.refresh_from_db()
        assert other.revoked_at is None

    def test_what_goes_on_for_a_while_is_said(self, person, world):
        world.service.revoke_access_tokens = False
        world.service.save()
        grant = world.grant()
        assert "This stops at once." in text(person("remove", world.client.pk))
        world.token(grant)
        assert "may go on until" in text(person("remove", world.client.pk))

    def test_nothing_to_remove(self, person, world):
        world.grant(revoked_at=now())
        assert person("remove", world.client.pk).status_code == 302

    def test_not_without_the_token_of_the_form(self, world):
        world.grant()
        url = reverse("grant_management_self_service:remove", args=[world.client.pk])
        headers = {"X-Person": f"{world.service.pk} user-1"}
        response = HTTP(enforce_csrf_checks=True).post(url, headers=headers)
        assert response.status_code == 403
        assert Grant.objects.get().revoked_at is None

    def test_nor_where_the_host_has_no_middleware_for_it(self, world, settings):
        settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "Csrf" not in one]
        self.test_not_without_the_token_of_the_form(world)


# Nobody else.

PAGES = [pattern.name for pattern in urls.urlpatterns]


def argument(name, world):
    if name == "apps":
        return ()
    if name != "logo":
        return (world.client.pk,)
    logo = logos.encoded(base64.b64decode(logo_in_base64()))
    return (ClientProfile.objects.put(world.client, BY_TEST, logo=logo).logo_digest,)


def methods(name):
    return ("get", "post") if name == "remove" else ("get",)


@pytest.mark.parametrize("name", PAGES)
class TestNobodyElse:
    """Each URL: what is another's looks like what is not there."""

    def reached(self, person, name, world, **options):
        """Whether a page shows anything of the world, or does anything there."""
        for method in methods(name):
            response = person(name, *argument(name, world), method=method, **options)
            if name == "apps":
                assert "Budget App" not in text(response)
            else:
                assert response.status_code == 404
        assert not Grant.objects.exclude(revoked_at=None).exists()

    def test_the_page_is_there_for_the_person(self, person, world, name):
        world.grant()
        for method in methods(name):
            response = person(name, *argument(name, world), method=method)
            assert response.status_code == (302 if method == "post" else 200)

    def test_another_person(self, person, world, name):
        world.grant()
        if name == "logo":
            return  # a client's logo is for everybody at its service
        for subject in ("user-2", "user-1 ", "USER-1", "%"):
            self.reached(person, name, world, subject=subject)

    def test_another_service(self, person, world, name):
        sibling = make_world(world.service.organization)
        world.grant()
        self.reached(person, name, world, of=sibling)

    def test_a_deleted_client(self, person, world, name):
        world.grant()
        arguments = argument(name, world)
        world.client.hide(BY_TEST, Reason(""))
        for query in ("", "?ended"):
            response = person(name, *arguments, query=query)
            found = response.status_code == 200 and "Budget App" in text(response)
            assert not found
            assert response.status_code == (200 if name == "apps" else 404)

    def test_a_deleted_service(self, person, world, name):
        world.grant()
        arguments = argument(name, world)
        world.service.hide(BY_TEST, Reason(""))
        assert person(name, *arguments).status_code == (404 if name == "logo" else 302)

    def test_a_grant_that_nobody_claimed(self, person, world, name):
        world.grant(pending=True)
        if name != "logo":
            self.reached(person, name, world)

    def test_a_grant_that_is_nobodys(self, person, world, name):
        world.grant(subject=None)
        if name != "logo":
            self.reached(person, name, world, subject="None")

    def test_who_has_not_logged_in(self, world, name):
        world.grant()
        url = reverse(f"grant_management_self_service:{name}", args=argument(name, world))
        for method in methods(name):
            response = getattr(HTTP(), method)(url)
            if name == "logo":
                assert response.status_code == 404
            else:
                assert response["Location"].startswith("/accounts/login/?next=/me/apps/")
        assert Grant.objects.get().revoked_at is None

    def test_a_user_who_is_no_person(self, world, name, django_user_model):
        """No way to the login, which would only lead back."""
        http = HTTP()
        http.force_login(django_user_model.objects.create_user("ann"))
        url = reverse(f"grant_management_self_service:{name}", args=argument(name, world))
        assert http.get(url).status_code == (404 if name == "logo" else 403)

    def test_a_number_that_no_client_has(self, person, world, name):
        if name not in ("apps", "logo"):
            for number in (0, NOBODYS, 2**63, 10**40):
                assert person(name, number).status_code == 404

    def test_headers(self, person, world, name):
        world.grant()
        response = person(name, *argument(name, world))
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
        if name != "logo":
            assert response["Cache-Control"] == "no-store"
            assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("subject", [None, 5, ""])
def test_a_subject_is_a_string(world, settings, subject, monkeypatch, rf):
    from grant_management.contrib.self_service import person as module

    world.grant(subject=None)
    monkeypatch.setattr(module, "import_string", lambda path: lambda request: (1, subject))
    with pytest.raises(TypeError):
        module.person_of(rf.get("/"))


def test_nobody_is_a_person_without_the_setting(world, settings, rf):
    from grant_management.contrib.self_service.person import person_of

    settings.GRANT_MANAGEMENT = {}
    assert person_of(rf.get("/", headers={"X-Person": f"{world.service.pk} user-1"})) is None


class TestFrames:
    """What a host says of its own policy stays."""

    @pytest.fixture(autouse=True)
    def without_ours(self, settings):
        ours = ("ContentSecurity", "XFrameOptions")
        kept = [one for one in settings.MIDDLEWARE if not any(name in one for name in ours)]
        settings.MIDDLEWARE = kept

    def test_without_a_policy(self, person):
        response = person("apps")
        assert response["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert response["X-Frame-Options"] == "DENY"

    def test_djangos(self, settings):
        settings.MIDDLEWARE = [guard._DJANGO]
        settings.SECURE_CSP = {"default-src": ["'self'"], "frame-ancestors": ["'self'"]}
        response = guard.guarded(guard.HttpResponseBase())
        assert "Content-Security-Policy" not in response
        expected = {"default-src": ["'self'"], "frame-ancestors": ["'none'"]}
        assert response._csp_config == expected

    def test_django_csp(self, settings):
        settings.MIDDLEWARE = [guard._DJANGO_CSP]
        response = guard.guarded(guard.HttpResponseBase())
        assert "Content-Security-Policy" not in response
        assert response._csp_update == {"frame-ancestors": ["'none'"]}


class TestLanguages:
    @pytest.mark.parametrize("language", ["en", "de", "ja"])
    def test_words_of_the_service(self, person, described, language):
        described.grant()
        page = text(person("apps", **{"Accept-Language": language}))
        assert all(one in page for one in NAMES[language])

    @pytest.mark.parametrize("language", ["de", "ja"])
    def test_no_english_word_of_ours(self, person, world, language):
        """On any page, in any state."""
        english = [one for one in catalog(language) if re.search("[a-z]{3}", one)]
        client = world.client_named("x" * 9, name="", locked_at=now())
        world.grant(client=client).revoke(Actor.subject("user-1"), Reason(""))
        world.grant(client=client, claims='["c"]', last_used_at=now())
        world.grant(client=client, expires_at=now() - timedelta(days=1))
        seen = ""
        for name, *arguments in (("apps",), ("app", client.pk), ("remove", client.pk)):
            seen += text(person(name, *arguments, **{"Accept-Language": language}))
        seen += text(person("history", client.pk, **{"Accept-Language": language}))
        seen += text(person("apps", query="?ended", **{"Accept-Language": language}))
        found = [one for one in english if re.sub(r"%\(\w+\)s", "", one).strip(" ?:.") in seen]
        assert found == []

    @pytest.mark.parametrize("language", ["de", "ja"])
    def test_every_string_is_translated(self, language):
        assert set(catalog(language)) == strings()
        assert all(catalog(language).values())

    @pytest.mark.parametrize("language", ["de", "ja"])
    def test_placeholders_stay(self, language):
        for english, other in catalog(language).items():
            names = [sorted(re.findall(r"%\(\w+\)s", one)) for one in (english, other)]
            assert names[0] == names[1]

    @pytest.mark.parametrize("language", ["de", "ja"])
    def test_what_is_compiled_is_what_is_written(self, language):
        """`msgfmt -o django.mo django.po` makes it."""
        import gettext

        with (messages(language) / "django.mo").open("rb") as stream:
            compiled = gettext.GNUTranslations(stream)._catalog
        compiled.pop("")
        assert compiled == {f"{CONTEXT}\4{one}": t for one, t in catalog(language).items()}


def messages(language):
    return FOLDER / "locale" / language / "LC_MESSAGES"


def catalog(language):
    """The strings of a .po file, each with its translation."""
    written = (messages(language) / "django.po").read_text()
    entry = rf'^msgctxt "{CONTEXT}"\nmsgid "(.+)"\nmsgstr "(.*)"$'
    pairs = re.findall(entry, written, re.M)
    assert written.count("\nmsgid ") == len(pairs)
    return dict(pairs)


def strings():
    """What the templates and the code say; each has the context."""
    found = set()
    for path in FOLDER.rglob("*.html"):
        source = path.read_text()
        tags = re.findall(r"\{% (?:block)?translate\b[^%]*%\}", source)
        assert [one for one in tags if CONTEXT not in one] == []
        found |= set(re.findall(r"\{% translate [\"']([^\"']+)[\"'] context", source))
        blocks = re.findall(r"\{% blocktranslate[^%]*%\}(.*?)\{% endblocktranslate %\}", source)
        found |= {re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", one) for one in blocks}
    for path in FOLDER.rglob("*.py"):
        source = re.sub(r"\s+", " ", path.read_text())
        assert " gettext" not in source
        found |= set(re.findall(r'pgettext_lazy\( ?"self-service", "([^"]+)",? ?\)', source))
    return found


class TestChecks:
    def found(self):
        ids = [one.id for one in run_checks() if "self_service" in one.id or "E03" in one.id]
        return sorted(ids)

    def test_all_is_well(self, db):
        assert self.found() == []

    @pytest.mark.parametrize("path", [None, "tests.nowhere.person_of", "tests.world.ENDPOINT"])
    def test_no_function(self, db, settings, path):
        changed = {"SELF_SERVICE_SUBJECT": path}
        settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | changed
        assert self.found() == ["grant_management_self_service.E001"]

    @pytest.mark.parametrize("name", ["nowhere.html", "admin/grant_management/fields.html"])
    def test_no_template(self, db, settings, name):
        changed = {"SELF_SERVICE_TEMPLATE": name}
        settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | changed
        assert self.found() == ["grant_management_self_service.E002"]

    def test_blocks_of_what_a_template_extends(self, db, settings):
        changed = {"SELF_SERVICE_TEMPLATE": "admin/base_site.html"}
        settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | changed
        assert self.found() == []

    def test_not_included(self, db, settings):
        settings.ROOT_URLCONF = "gm_project.urls"
        assert self.found() == ["grant_management_self_service.W001"]

    def test_settings_of_the_wrong_shape(self, db, settings):
        wrong = {"SELF_SERVICE_SUBJECT": "x", "SELF_SERVICE_TEMPLATE": ""}
        settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | wrong
        assert {"grant_management.E031", "grant_management.E032"} <= set(self.found())


def test_the_hosts_template(person, world, settings):
    """Any with the two blocks, such as the admin's."""
    changed = {"SELF_SERVICE_TEMPLATE": "admin/base_site.html"}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | changed
    world.grant()
    assert b"Django administration" in person("apps").content
