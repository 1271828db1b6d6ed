"""Times in the admin: typed in UTC and shown in UTC, in any host project; and named so."""

import csv
import io
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.conf.locale import LANG_INFO
from django.contrib.admin import site
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import strip_tags

from grant_management import admin as pages
from grant_management.admin.kit.display import _relative
from grant_management.admin.kit.utc import UTCDateTimeField, exact, parse_time
from grant_management.admin.sweep_form import FilterForm
from grant_management.models import (
    AccessToken,
    Actor,
    ApiToken,
    Call,
    Client,
    DPoPNonce,
    Grant,
    GrantEvent,
    OrganizationMember,
    RefreshToken,
    Service,
    Stream,
    Sweep,
    Webhook,
    WebhookDelivery,
)

from ..exports import body, read_csv, read_json_lines
from ..standalone import ROOT
from ..test_roles import fill
from ..world import make_world, now

TOKYO, ANGELES = "Asia/Tokyo", "America/Los_Angeles"
HOSTS = [
    (zone, language) for zone in (TOKYO, ANGELES, "Europe/Berlin") for language in ("en", "de", "")
]
SOME = [(TOKYO, "de"), (ANGELES, "en"), (TOKYO, "")]
AT = datetime(2026, 1, 31, 18, 30, 15, tzinfo=UTC)


@contextmanager
def living_in(zone, language):
    """Settings of a host ("": without translations), and a zone that its middleware activated."""
    code = language or "en"
    with (
        override_settings(TIME_ZONE=zone, LANGUAGE_CODE=code, USE_I18N=bool(language)),
        translation.override(code),
        timezone.override(ZoneInfo("Pacific/Auckland")),
    ):
        yield


@pytest.fixture(params=HOSTS, ids="-".join)
def any_host(request):
    with living_in(*request.param):
        yield


@pytest.fixture(params=SOME, ids="-".join)
def host(request):
    with living_in(*request.param):
        yield


TYPED = {
    "2026-01-31": datetime(2026, 1, 31, tzinfo=UTC),
    "2026-01-31 18:30:15": AT,
    "2026-01-31T18:30:15": AT,
    "2026-01-31T18:30:15Z": AT,
    "2026-01-31t18:30:15z": AT,
    "2026-01-31 18:30:15 UTC": AT,
    "2026-01-31T18:30:15+00:00": AT,
    "2026-02-01T03:30:15+09:00": AT,
    "2026-02-01T03:30:15+0900": AT,
    "2026-01-31 10:30:15-08:00": AT,
    "2026-01-31 10:30:15 -08:00": AT,
    " 2026-01-31 18:30 ": AT.replace(second=0),
    "2026-01-31T18:30:15.250000Z": AT.replace(microsecond=250_000),
    # Twice, or not at all, where clocks are changed.
    "2026-03-29 02:30:00": datetime(2026, 3, 29, 2, 30, tzinfo=UTC),
    "2026-10-25 02:30:00": datetime(2026, 10, 25, 2, 30, tzinfo=UTC),
    "2026-03-08 02:30:00": datetime(2026, 3, 8, 2, 30, tzinfo=UTC),
    "2026-11-01 01:30:00": datetime(2026, 11, 1, 1, 30, tzinfo=UTC),
    "0001-01-01 00:00:00": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31T23:59:59Z": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}
NONE = [
    "yesterday",
    "31.01.2026",
    "01/31/2026",
    "2026-02-30",
    "2026-01-31 25:00",
    "2026-01-31 18:30:61",
    "2026-01-31T18:30:15 CET",
    "2026-01-31T18:30:15+25:00",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "٢٠٢٦-01-31",
    "2026-01-31\x00",
    "9" * 5_000,
    "1769884215",
    "",
]


@pytest.mark.parametrize(("text", "moment"), TYPED.items(), ids=repr)
def test_what_is_typed_is_utc(any_host, text, moment):
    form = _Form({"at": text})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["at"] == moment
    assert form.cleaned_data["at"].tzinfo is UTC


@pytest.mark.parametrize("text", NONE[:-1], ids=lambda text: repr(text[:30]))
def test_what_is_no_time_is_refused(any_host, text):
    form = _Form({"at": text})
    assert not form.is_valid()
    assert form["at"].value() == text


def test_what_is_shown_can_be_typed(any_host):
    """A form with a moment in it, sent back as it is, changes nothing; and it is not localized."""
    for at in (AT, AT.replace(microsecond=7), AT.astimezone(ZoneInfo(TOKYO))):
        shown = _Form(initial={"at": at})["at"].value()
        assert shown.endswith(" UTC")
        assert parse_time(shown) == at
        form = _Form({"at": shown}, initial={"at": at})
        assert form.is_valid()
        assert not form.has_changed()
        assert f'value="{shown}"' in str(_Form(initial={"at": at})["at"])
    assert _Form({"at": "2026-02-01T03:30:15+09:00"})["at"].value() == "2026-02-01T03:30:15+09:00"


class _Form(forms.Form):
    at = UTCDateTimeField()


def forms_of(module):
    """Every form that the admin has, and those that Django's own pages make of a model."""
    found, classes = set(), [forms.BaseForm]
    while classes:
        classes += (made := classes.pop().__subclasses__())
        found |= {one for one in made if one.__module__.startswith(module)}
    return found


def temporal(fields):
    """Those that are about a time, and not ours."""
    plain = (forms.DateTimeField, forms.DateField, forms.TimeField, forms.SplitDateTimeField)
    return {
        name
        for name, field in fields.items()
        if isinstance(field, plain) and not isinstance(field, UTCDateTimeField)
    }


def test_every_form_reads_times_in_utc():
    every = forms_of("grant_management.")
    assert {"IssueForm", "FilterForm", "GrantListForm"} <= {one.__name__ for one in every}
    for form in every:
        assert temporal(form.base_fields) == set(), form
    named = {
        str(field.label)
        for form in every
        for field in form.base_fields.values()
        if isinstance(field, UTCDateTimeField)
    }
    assert named
    assert all(label.endswith("(UTC)") for label in named)


def test_a_plain_field_would_be_found():
    class Plain(forms.Form):
        at = forms.DateTimeField(label="At (UTC)")

    assert temporal(Plain.base_fields) == {"at"}


def test_a_form_that_django_makes_of_a_model(rf, admin_user):
    """None of ours has a time today: a project's own admin may."""
    request = rf.get("/")
    request.user = admin_user
    ours = [one for one in site._registry.items() if one[0]._meta.app_label == "grant_management"]
    for model, page in ours:
        for field in filter(_is_time, model._meta.fields):
            made = page.formfield_for_dbfield(field, request)
            assert isinstance(made, UTCDateTimeField), field
            assert type(made.widget) is forms.TextInput


@pytest.mark.django_db
class TestDoors:
    """What an operator types in UTC is what happens, wherever the host lives."""

    def test_a_cut_off_kills_what_came_before_and_no_more(self, host, admin_client, monkeypatch):
        from grant_management.admin import sweep

        monkeypatch.setattr(sweep, "work_in_background", lambda sweep: None)
        world = make_world()
        for minutes in (-1, 1):
            world.grant(created_at=AT + timedelta(minutes=minutes), subject=str(minutes))
        check = reverse("admin:grant_management_sweep_check")
        data = {
            "service": world.service.pk,
            "client": "app-1",
            "created_before": f"{AT:%Y-%m-%d %H:%M:%S}",
        }
        page = admin_client.post(check, data)
        assert [grant.subject for grant, _ in page.context["sample"]] == ["-1"]
        assert "2026-01-31 18:30:15 UTC" in page.content.decode()
        sent = data | {"typed": "app-1", "reason": "other"}
        sent["sweep"] = page.context["confirm"].initial["sweep"]
        assert admin_client.post(check, sent).status_code == 302
        world.client.refresh_from_db()
        assert world.client.not_before == AT

    def test_an_api_token_ends_when_it_was_said(self, host, admin_client):
        world = make_world()
        url = reverse("admin:grant_management_apitoken_issue")
        at = (now() + timedelta(days=30)).replace(microsecond=0)
        for text in (f"{at:%Y-%m-%d %H:%M:%S}", at.astimezone(ZoneInfo(TOKYO)).isoformat()):
            data = {
                "once": text,
                "organization": world.service.organization_id,
                "expires_at": text,
                "description": text,
            }
            assert admin_client.post(url, data).status_code == 200
            assert ApiToken.objects.get(description=text).expires_at == at

    def test_one_that_has_ended_already_is_not_issued(self, host, admin_client):
        world = make_world()
        before = ApiToken.objects.count()
        for at in (now() - timedelta(minutes=1), now()):
            data = {"organization": world.service.organization_id, "once": "x"}
            data["expires_at"] = f"{at:%Y-%m-%d %H:%M:%S}"
            page = admin_client.post(reverse("admin:grant_management_apitoken_issue"), data)
            assert page.context["form"].errors["expires_at"]
        assert ApiToken.objects.count() == before

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"since": "2026-01-31", "until": "2026-01-31"}, {"first", "noon", "last"}),
            ({"until": "2026-01-30"}, {"before"}),
            ({"since": "2026-02-01"}, {"after"}),
            ({"since": "2026-01-31T12:00:00Z", "until": "2026-01-31T12:00:00Z"}, {"noon"}),
            ({"since": "2026-02-01T00:00:00+09:00", "until": "2026-01-31"}, {"last"}),
            ({"since": "0001-01-01", "until": "9999-12-31"}, None),
        ],
        ids=lambda value: str(sorted(value or ())),
    )
    def test_days_of_a_list_are_days_of_utc(self, host, admin_client, query, found):
        world = make_world()
        made = {
            "before": datetime(2026, 1, 30, 23, 59, 59, 999_999, tzinfo=UTC),
            "first": datetime(2026, 1, 31, tzinfo=UTC),
            "noon": datetime(2026, 1, 31, 12, tzinfo=UTC),
            "last": datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            "after": datetime(2026, 2, 1, tzinfo=UTC),
        }
        for subject, at in made.items():
            world.grant(subject=subject, created_at=at)
        page = admin_client.get(reverse("admin:grant_management_grant_changelist"), query)
        rows = {row.subject for row in page.context["list"].rows}
        assert rows == (set(made) if found is None else found)
        for name, value in query.items():
            kind = "date" if len(value) == 10 else "text"
            assert f'type="{kind}" name="{name}" value="{value}"'.replace("+", "&#x2B;") in (
                page.content.decode().replace("+", "&#x2B;")
            )


MODELS = (
    *(Grant, AccessToken, RefreshToken, ApiToken, Client, Service, DPoPNonce, Sweep, Call),
    *(Webhook, WebhookDelivery, Stream),
)


@pytest.fixture
def lived(world, admin_user):
    """Rows of every kind, whose every time is the same."""
    rows = fill(world)
    member = OrganizationMember.objects.create(
        user=admin_user, organization=world.service.organization
    )
    rows["organizationmember"] = member
    for model in MODELS:
        times = [field.name for field in model._meta.fields if _is_time(field)]
        model.objects.update(**dict.fromkeys(times, AT))
    for model in (Webhook, Stream):  # what was deleted has no page
        model.objects.update(deleted_at=None)
    GrantEvent.objects.bulk_create(
        [GrantEvent.about("revoked", AT, ANN, service_id=world.service.pk)]
    )
    rows["grantevent"] = GrantEvent.objects.get(at=AT)
    entry = LogEntry.objects.create(
        user=admin_user,
        content_type=ContentType.objects.get_for_model(OrganizationMember),
        object_id=str(member.pk),
        object_repr="x",
        action_flag=ADDITION,
    )
    LogEntry.objects.filter(pk=entry.pk).update(action_time=AT)
    return rows


def _is_time(field):
    return field.get_internal_type() == "DateTimeField"


ANN = Actor.operator("ann")
CLOCKS = {ZoneInfo(zone): AT.astimezone(ZoneInfo(zone)) for zone in (TOKYO, ANGELES)}
ABSOLUTE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(.{0,6})")


def urls_of(rows):
    for model, row in rows.items():
        for page, arguments in (("changelist", []), ("change", [row.pk]), ("history", [row.pk])):
            yield reverse(f"admin:grant_management_{model}_{page}", args=arguments)
    for model, names in {
        "grant": ("revoke", "person"),
        "client": ("lock", "unlock", "cut-off"),
        "service": ("cut-off", "settings", "what_if"),
        "dpopnonce": ("expire",),
        "apitoken": ("rotate", "revoke"),
    }.items():
        for name in names:
            yield reverse(f"admin:grant_management_{model}_{name}", args=[rows[model].pk])
    for name in (
        "sweep_start",
        "apitoken_issue",
        "dailycount_changelist",
        "grant_find",
        "grant_people",
    ):
        yield reverse(f"admin:grant_management_{name}")


OURS = {path.name for path in (ROOT / "grant_management" / "locale").iterdir()}
"""The languages that the app is translated into."""


def wrong_times(text):
    """Times without a zone or in another one."""
    shown = strip_tags(re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL))
    wrong = [
        found.group()
        for found in ABSOLUTE.finditer(shown)
        if not found.group(1).startswith((" UTC", "Z", "+00:00"))
    ]
    for at in (AT, *CLOCKS.values()):
        hour = at.strftime("%I").lstrip("0")
        wrong += re.findall(
            rf"\b{hour}:{at:%M} [ap]\.m\.|{at.day}\. \w+ {at:%Y} \d\d:{at:%M}", shown
        )
    others = (f"{at:%Y-%m-%d %H}" for at in CLOCKS.values())
    wrong += [one for one in others if one in shown]
    return wrong + re.findall(r"\bJST\b|\bPST\b", shown)


def test_every_page_shows_utc_and_says_so(host, admin_client, lived):
    """Lists, pages of rows, Django's own included, history, and what asks before it acts."""
    seen = set()
    for url in urls_of(lived):
        text = admin_client.get(url).content.decode()
        assert wrong_times(text) == [], url
        titles = re.findall(r'<time datetime="([^"]+)" title="([^"]+)"', text)
        for machine, title in titles:
            assert machine.endswith("+00:00"), url
            assert title.endswith(" UTC"), url
        if "2026-01-31 18:30:15 UTC" in text:
            seen.add(url.split("/grant_management/")[1].split("/")[0])
    assert seen >= {*lived} - {"organization", "organizationevent", "description", "clientprofile"}


def test_a_rows_own_page_is_exact(admin_client, lived):
    """None of its facts has a time that is relative to now; nor have a grant's tokens."""
    for model in ("grant", "sweep", "service", "call"):
        url = reverse(f"admin:grant_management_{model}_change", args=[lived[model].pk])
        text = admin_client.get(url).content.decode()
        facts = re.findall(r'<dl class="gm-facts">.*?</dl>|<table.*?</table>', text, re.S)
        times = [one for part in facts for one in re.findall(r"<time [^>]*>([^<]*)", part)]
        assert set(times) == {"2026-01-31 18:30:15 UTC"}, model


def test_history_names_the_zone(host, admin_client, lived):
    member = lived["organizationmember"]
    url = reverse("admin:grant_management_organizationmember_history", args=[member.pk])
    assert "2026-01-31 18:30:15 UTC" in admin_client.get(url).content.decode()


def test_files_say_utc(host, admin_client, lived):
    events = reverse("admin:grant_management_grantevent_export_csv")
    rows = read_csv(admin_client.get(events, {"until": "2026-02-01"}))
    assert [row["at"] for row in rows] == ["2026-01-31T18:30:15+00:00"]
    events = reverse("admin:grant_management_grantevent_export_jsonl")
    rows = read_json_lines(admin_client.get(events, {"until": "2026-02-01"}))
    assert [row["at"] for row in rows] == ["2026-01-31T18:30:15+00:00"]
    (row,) = read_csv(admin_client.get(reverse("admin:grant_management_grant_export_csv")))
    times = ("created_at", "last_used_at", "expires_at")
    assert {row[name] for name in times} == {"2026-01-31T18:30:15+00:00"}
    report = reverse("admin:grant_management_sweep_report.json", args=[lived["sweep"].pk])
    assert b'"startedAt": "2026-01-31T18:30:15+00:00"' in body(admin_client.get(report))


def test_a_receipt_says_when_to_the_second(host, admin_client, lived):
    url = reverse("admin:grant_management_grantevent_change", args=[lived["grantevent"].pk])
    text = strip_tags(admin_client.get(url).content.decode())
    assert "2026-01-31 18:30:15 UTC" in text


def test_a_token_that_ends_with_the_year_9999(host, admin_client, world):
    """No zone lies beyond the end of time."""
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    grant = world.grant(expires_at=end)
    world.token(grant, expires_at=end)
    world.refresh_token(grant, expires_at=end)
    ApiToken.objects.update(expires_at=end)
    for model in (Grant, AccessToken, RefreshToken, ApiToken):
        name, row = model._meta.model_name, model.objects.get()
        for page, arguments in (("changelist", []), ("change", [row.pk])):
            url = reverse(f"admin:grant_management_{name}_{page}", args=arguments)
            assert "9999-12-31 23:59:59 UTC" in admin_client.get(url).content.decode(), url


def test_relative_times_are_in_one_language():
    """The app's own, or English: no word of a time is from Django's translations."""
    spans = (0, 59, 60, 7_200, 86_400, 9 * 86_400, 60 * 86_400, 800 * 86_400)

    def said():
        return [_relative(AT + sign * timedelta(seconds=n), AT) for n in spans for sign in (-1, 1)]

    with translation.override(None):
        plain = said()
    assert plain[4:8] == ["1 minute ago", "in 1 minute", "2 hours ago", "in 2 hours"]
    for language in LANG_INFO:
        with translation.override(language):
            if language.partition("-")[0] in OURS:
                assert not set(said()) & set(plain), language
            else:
                assert said() == plain, language


def test_numbers_of_rows_are_not_localized(admin_client, world):
    """A host with separators of thousands: links and values still name the service."""
    world.grant()
    with override_settings(USE_THOUSAND_SEPARATOR=True, LANGUAGE_CODE="de"):
        number = str(world.service.pk)
        make_world()
        overview = admin_client.get(
            reverse("admin:grant_management_dailycount_changelist"), {"service": number}
        )
        assert f'<option value="{number}" selected' in overview.content.decode()
        page = reverse("admin:grant_management_service_change", args=[number])
        assert f'serviceId: "{number}"' in admin_client.get(page).content.decode()


def test_exact():
    assert exact(AT.astimezone(ZoneInfo(TOKYO))) == "2026-01-31 18:30:15 UTC"
    assert exact(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01 00:00:00 UTC"


def test_csv_is_read_by_others(admin_client, world):
    """With the mark, as a spreadsheet reads it."""
    world.grant(created_at=AT)
    data = body(admin_client.get(reverse("admin:grant_management_grant_export_csv")))
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0][:2] == ["status", "grant_id"]
    assert rows[1][rows[0].index("created_at")] == "2026-01-31T18:30:15+00:00"


def test_pages_are_known():
    assert {name for name in dir(pages) if name.endswith("Admin")} == set(pages.__all__)
    assert isinstance(FilterForm.base_fields["created_before"], UTCDateTimeField)
