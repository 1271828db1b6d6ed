"""The zone that an operator chose: shown, typed, named on every page, and remembered."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.admin.kit.frame import zone_names
from grant_management.admin.kit.utc import UTCDateTimeField
from grant_management.admin.kit.zone import ClockChange, exact, parse_time, shown_in, utc_of
from grant_management.db import clock
from grant_management.models import ApiToken, GrantEvent, OperatorPreference, OrganizationMember

from ..world import BY_TEST, now

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 7, 31, 18, 30, 15, tzinfo=UTC)
CHOOSE = "admin:grant_management_operatorpreference_changelist"


@pytest.fixture
def berliner(admin_client):
    page = admin_client.post(reverse(CHOOSE), {"time_zone": "Europe/Berlin"}, follow=True)
    assert "The time zone was changed." in page.content.decode()
    return admin_client


class TestReading:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-07-31 20:30:15", AT),
            ("2026-07-31 20:30:15 +02:00", AT),
            ("2026-07-31 18:30:15 UTC", AT),
            ("2026-07-31T18:30:15Z", AT),
            ("2026-07-31", datetime(2026, 7, 30, 22, tzinfo=UTC)),
            ("2026-10-25 02:30:00 +01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ],
    )
    def test_what_is_typed(self, text, moment):
        with shown_in(BERLIN):
            assert parse_time(text) == moment

    @pytest.mark.parametrize("text", ["2026-03-29 02:30:00", "2026-10-25 02:30:00"])
    def test_clocks_are_changed(self, text):
        """No such time, or two: neither is guessed."""
        field = UTCDateTimeField(label="At (UTC)")
        with shown_in(BERLIN):
            with pytest.raises(ClockChange):
                parse_time(text)
            with pytest.raises(Exception, match="Europe/Berlin"):
                field.clean(text)
            assert utc_of(text) == ""
            assert str(field.label) == "At (Europe/Berlin)"
        assert str(field.label) == "At (UTC)"

    def test_what_is_shown_can_be_typed(self):
        for zone in (BERLIN, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns"), UTC):
            for at in (
                AT,
                datetime(1, 1, 1, tzinfo=UTC),
                datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
            ):
                with shown_in(zone):
                    assert parse_time(exact(at)) == at
                    shown = UTCDateTimeField(label="x").prepare_value(at.replace(microsecond=7))
                    assert parse_time(shown) == at.replace(microsecond=7)


class TestPages:
    def test_every_page_names_it(self, berliner, world):
        event = GrantEvent.objects.record("imported", world.service.pk, AT, BY_TEST)
        for name, *arguments in (
            ("grant_changelist",),
            ("organization_changelist",),
            ("apitoken_issue",),
            ("grantevent_change", event.pk),
            ("dailycount_changelist",),
            ("service_change", world.service.pk),
            ("grant_change", world.grant().pk),
        ):
            page = berliner.get(reverse(f"admin:grant_management_{name}", args=arguments))
            assert "Times are in the time zone Europe/Berlin." in page.content.decode(), name

    def test_pages_in_frames_of_django_name_it_too(self, berliner, admin_user, world):
        member = OrganizationMember.objects.create(user=admin_user, organization=None)
        members = "admin:grant_management_organizationmember"
        sent = {"action": "delete_selected", "_selected_action": [member.pk]}
        for page in (
            berliner.get(reverse("admin:app_list", args=["grant_management"])),
            berliner.get(reverse(f"{members}_history", args=[member.pk])),
            berliner.get(reverse(f"{members}_delete", args=[member.pk])),
            berliner.post(reverse(f"{members}_changelist"), sent),
            berliner.get(reverse("admin:auth_user_delete", args=[admin_user.pk])),
        ):
            text = page.content.decode()
            assert text.count("Times are in the time zone Europe/Berlin.") == 1, page.request

    def test_a_history_is_in_it(self, berliner, admin_user):
        member = OrganizationMember.objects.create(user=admin_user, organization=None)
        entry = LogEntry.objects.create(
            user=admin_user,
            content_type=ContentType.objects.get_for_model(OrganizationMember),
            object_id=str(member.pk),
            action_flag=ADDITION,
        )
        LogEntry.objects.filter(pk=entry.pk).update(action_time=AT)
        url = reverse("admin:grant_management_organizationmember_history", args=[member.pk])
        assert "2026-07-31 20:30:15 +02:00" in berliner.get(url).content.decode()

    def test_a_receipt_has_both(self, berliner, world):
        event = GrantEvent.objects.record("imported", world.service.pk, AT, BY_TEST)
        url = reverse("admin:grant_management_grantevent_change", args=[event.pk])
        page = berliner.get(url).content.decode()
        assert "2026-07-31 20:30:15 +02:00" in page
        assert "2026-07-31 18:30:15 UTC" in page

    def test_what_is_typed_is_of_that_zone_and_shown_in_utc(self, berliner, world):
        url = reverse("admin:grant_management_apitoken_issue")
        year = now().year + 1
        data = {"organization": world.service.organization_id, "once": "x"}
        data |= {"expires_at": f"{year}-07-31 20:30:15", "description": "y" * 300}
        page = berliner.post(url, data).content.decode()
        assert f"{year}-07-31 18:30:15 UTC</output>" in page
        assert "Expires (Europe/Berlin)" in page
        berliner.post(url, data | {"description": "z"})
        ends = ApiToken.objects.get(description="z").expires_at
        assert ends == datetime(year, 7, 31, 18, 30, 15, tzinfo=UTC)

    def test_days_of_a_filter(self, berliner, world):
        """The last day in Berlin ends before that of UTC does."""
        for hour in (21, 23):
            at = datetime(2026, 7, 31, hour, 30, tzinfo=UTC)
            GrantEvent.objects.record("imported", world.service.pk, at, BY_TEST)
        url = reverse("admin:grant_management_grantevent_changelist")
        found = berliner.get(url, {"since": "2026-07-31", "until": "2026-07-31"})
        assert [event.at.hour for event in found.context["list"].rows] == [21]

    def test_files_stay_in_utc(self, berliner, world):
        GrantEvent.objects.record("imported", world.service.pk, AT, BY_TEST)
        file = berliner.get(reverse("admin:grant_management_grantevent_export_csv"))
        assert b"2026-07-31T18:30:15+00:00" in b"".join(file.streaming_content)

    def test_for_the_script(self, berliner):
        url = reverse("admin:grant_management_operatorpreference_utc")
        asked = berliner.post(url, {"at": "2026-07-31 20:30:15"})
        assert asked.json() == {"utc": "2026-07-31 18:30:15 UTC"}
        assert berliner.post(url, {"at": "<b>"}).json() == {"utc": ""}


class TestRemembered:
    def test_at_the_next_login(self, berliner, admin_user):
        again = HTTP()
        again.force_login(admin_user)
        page = again.get(reverse(CHOOSE))
        assert page.context["time_zone"] == "Europe/Berlin"

    def test_for_one_operator_alone(self, berliner, django_user_model):
        other = HTTP()
        other.force_login(django_user_model.objects.create_superuser("bob"))
        assert other.get(reverse(CHOOSE)).context["time_zone"] == "UTC"

    def test_until_the_user_is_deleted(self, berliner, admin_user):
        assert OperatorPreference.objects.count() == 1
        admin_user.delete()
        assert OperatorPreference.objects.count() == 0

    @pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "localtime", ""])
    def test_no_zone_is_made_up(self, admin_client, name):
        page = admin_client.post(reverse(CHOOSE), {"time_zone": name})
        assert page.context["form"].errors["time_zone"]
        assert not OperatorPreference.objects.exists()

    def test_one_that_is_gone_is_utc(self, admin_client, admin_user):
        OperatorPreference.objects.choose(admin_user, time_zone="Mars/Base")
        assert admin_client.get(reverse(CHOOSE)).context["time_zone"] == "UTC"

    def test_one_question_for_a_login(self, berliner, django_assert_max_num_queries, world):
        berliner.get(reverse(CHOOSE))
        with django_assert_max_num_queries(2) as seen:  # the session and the user
            berliner.get(reverse(CHOOSE))
        assert not [one for one in seen if "operatorpreference" in one["sql"]]

    def test_a_page_of_the_next_operator_is_not_in_this_zone(self, berliner):
        assert get_user_model().objects.count() == 1
        assert exact(AT) == "2026-07-31 18:30:15 UTC"


def test_the_zones():
    names = zone_names()
    assert names[0] == "UTC"
    assert {"Europe/Berlin", "Asia/Tokyo", "America/New_York"} <= set(names)


def test_today_begins_at_midnight_of_the_zone(admin_client, world, monkeypatch):
    at = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)  # the second of March in Tokyo
    monkeypatch.setattr(clock, "now", lambda: at)
    for hour, name in ((14, "yesterday"), (16, "today")):
        world.grant(grant_id=name, created_at=at.replace(hour=hour))
    url = reverse("admin:grant_management_grant_changelist")

    def found():
        page = admin_client.get(url, {"period": "today"})
        return {row.grant_id for row in page.context["list"].rows}, page.content.decode()

    names, text = found()
    assert names == {"yesterday", "today"}
    assert "Today (UTC)" in text
    admin_client.post(reverse(CHOOSE), {"time_zone": "Asia/Tokyo"})
    names, text = found()
    assert names == {"today"}
    assert "Today (Asia/Tokyo)" in text
