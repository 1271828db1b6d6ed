"""What one grant holds is bounded, and so is what it costs to change, keep and show it."""

import contextlib
import io
import json
import sys
import tracemalloc
from unittest.mock import ANY

import pytest
from django.core.management import CommandError, call_command
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grant_management import lifecycle
from grant_management.interchange import exporter
from grant_management.lifecycle import Authorization, GrantAction, LifecycleError
from grant_management.models import Actor, Grant, GrantEvent, GrantFilter, Reason
from grant_management.models.grant import WHOLE
from grant_management.protocol import content, strict_json
from grant_management.protocol.content import Content, Limits, TooLarge
from grant_management.tracing import MEMBERS

from ..ours import connection
from ..world import now
from .test_stored import send

MODULUS = 2**61 - 1
"""Python hashes numbers by their remainder by it (CPython on 64 bits)."""


def details(number, size=100):
    return [{"type": "t", "n": str(n), "s": "x" * size} for n in range(number)]


def as_text(objects):
    return json.dumps(objects, separators=(",", ":"))


def lines_run(function):
    """How many lines of Python it takes."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


class TestIdentity:
    """Details are the same where their JSON is."""

    def test_numbers_that_collide_are_told_apart_at_once(self):
        """What is compared has as many hashes as there are values, whatever the numbers are."""
        texts = [f'{{"type":"t","n":{n * MODULUS}}}' for n in range(1, 500)]
        texts += [f'{{"type":"t","n":{n * MODULUS}e0}}' for n in range(500, 1_000)]
        assert len({hash(content._identity(text)) for text in texts}) == len(texts)

    @pytest.mark.parametrize("multiple", [1, MODULUS])
    def test_a_merge_takes_turns_in_proportion(self, multiple):
        def merge(number):
            objects = [{"type": "t", "n": n * multiple} for n in range(number)]
            value = strict_json.loads(as_text(objects), keep_numbers=True)
            held = Content(details=content.read_details(value))
            return lines_run(lambda: held.merged(held))

        one, four = merge(50), merge(200)
        assert four < 4.5 * one

    def test_equal_is_what_is_equal_as_json(self):
        same = ['{"type":"t","a":1,"b":[true]}', '{"b":[true],"type":"t","a":10e-1}']
        other = ['{"type":"t","a":true,"b":[true]}', '{"type":"t","a":"1","b":[true]}']
        other.append('{"type":"t","a":1,"b":[1]}')
        held = Content(details=(same[0],))
        assert held.merged(Content(details=(same[1],))).details == (same[0],)
        assert held.merged(Content(details=tuple(other))).details == (same[0], *other)

    def test_once_each(self):
        value = strict_json.loads('[{"type":"t"},{"type":"u"},{"type":"t"}]', keep_numbers=True)
        assert content.read_details(value) == ('{"type":"t"}', '{"type":"u"}')


class TestPairs:
    """A list in a list multiplies."""

    def test_too_many_are_not_even_made(self):
        scopes = [
            {
                "scope": " ".join(f"s{n}" for n in range(3_000)),
                "resource": [f"u:{n}" for n in range(3_000)],
            }
        ]
        tracemalloc.start()
        with pytest.raises(TooLarge, match="at most 10000 pairs"):
            content.read_scopes(scopes)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4_000_000

    def test_entries_that_say_the_same_are_counted_too(self):
        """So that reading them is bounded, and not only what comes of it."""
        entry = {"scope": "a b", "resource": ["u:1", "u:2"]}
        assert len(content.read_scopes([entry] * 25, 100)) == 4
        with pytest.raises(TooLarge):
            content.read_scopes([entry] * 26, 100)

    def test_at_every_door(self, world, settings, tmp_path):
        settings.GRANT_MANAGEMENT = {"MAX_GRANT_PAIRS": 6}
        fits = [{"scope": "a b c", "resource": ["u:1", "u:2"]}]
        more = [{"scope": "a b c d", "resource": ["u:1", "u:2"]}]
        grant = world.grant(scopes="")
        assert send(world, f"grants/{grant.grant_id}/merge", scopes=json.dumps(fits))[0] == 200
        doors = {f"grants/{grant.grant_id}/{action}": {} for action in ("merge", "replace")}
        doors["grants"] = {"clientIdentifier": '"app-1"', "subject": '"u"'}
        for path, base in doors.items():
            status, answer = send(world, path, **base, scopes=json.dumps(more))
            assert status == 400
            assert "at most 6 pairs" in answer["resultMessage"]
        said = send(world, f"grants/{grant.grant_id}/merge", scopes='[{"scope":"z"}]')
        assert said[0] == 400
        assert "at most 6 pairs" in said[1]["resultMessage"]
        assert "at most 6 pairs" in imported(world, tmp_path, scopes=more)
        with pytest.raises(LifecycleError, match="at most 6 pairs"):
            complete(world, Content(frozenset((str(n), None) for n in range(7))))


def imported(world, tmp_path, **members):
    about = {"type": "grant", "service": world.service.pk, "client_id": "app-1", "grant_id": "g-1"}
    path = tmp_path / "records.jsonl"
    path.write_text(f'{json.dumps(about | members)}\n{{"type":"end","records":1}}\n')
    errors = io.StringIO()
    try:
        call_command("import_grants", str(path), stdout=io.StringIO(), stderr=errors)
    except CommandError:
        assert not Grant.objects.filter(grant_id="g-1").exists()
    return errors.getvalue()


def complete(world, held):
    authorization = Authorization(world.client, "user-1", GrantAction.CREATE)
    return lifecycle.complete(authorization, held)


class TestCap:
    """Bytes of a grant's content."""

    MOST = 1_000

    @pytest.fixture(autouse=True)
    def cap(self, settings):
        settings.GRANT_MANAGEMENT = {"MAX_GRANT_CONTENT": self.MOST}

    def of_size(self, size):
        frame = len('[{"type":"t","s":""}]')
        return [{"type": "t", "s": "x" * (size - frame)}]

    def test_to_the_byte_at_every_door(self, world, tmp_path):
        fits, more = self.of_size(self.MOST), self.of_size(self.MOST + 1)
        base = {"clientIdentifier": '"app-1"', "subject": '"user-1"'}
        status, made = send(
            world, "grants", **base, active="true", authorizationDetails=as_text(fits)
        )
        assert status == 200
        path, before = f"grants/{made['grantId']}", GrantEvent.objects.count()
        assert Grant.objects.get().authorization_details == as_text(fits)
        for refused in (
            send(world, "grants", **base, authorizationDetails=as_text(more)),
            send(world, f"{path}/replace", authorizationDetails=as_text(more)),
            send(world, f"{path}/merge", claims='["a"]'),
        ):
            assert (refused[0], refused[1]["resultCode"]) == (400, "A291201")
            assert "at most 1000 bytes" in refused[1]["resultMessage"]
        assert "more than 1000 bytes" in imported(world, tmp_path, authorization_details=more)
        with pytest.raises(LifecycleError, match="at most 1000 bytes"):
            complete(world, Content(details=(as_text(more)[1:-1],)))
        assert (Grant.objects.count(), GrantEvent.objects.count()) == (1, before)
        assert imported(world, tmp_path, authorization_details=fits) == ""

    def test_all_members_count_together(self, world, tmp_path):
        """Also where a record changes one of them alone."""
        assert imported(world, tmp_path, authorization_details=self.of_size(900)) == ""
        assert "more than 1000" in imported_again(world, tmp_path, claims=["c" * 100])
        grant = Grant.objects.get()
        assert (grant.claims, len(grant.authorization_details)) == ("", 900)
        assert imported_again(world, tmp_path, claims=["c"]) == ""
        assert "more than 1000" in imported_again(world, tmp_path, scopes=[{"scope": "x" * 99}])

    def test_what_is_escaped_counts_as_it_is_kept(self, world):
        """A character outside of ASCII has six bytes, or twelve."""
        base = {"clientIdentifier": '"app-1"', "subject": '"user-1"'}
        text = as_text([{"type": "t", "s": "\u00e9" * 160}])
        assert send(world, "grants", **base, authorizationDetails=text)[0] == 200
        text = as_text([{"type": "t", "s": "\u00e9" * 170}])
        assert send(world, "grants", **base, authorizationDetails=text)[0] == 400


def imported_again(world, tmp_path, **members):
    """Of a known grant, good records of the file beside it being kept."""
    about = {"type": "grant", "service": world.service.pk, "client_id": "app-1", "grant_id": "g-1"}
    path = tmp_path / "records.jsonl"
    path.write_text(f'{json.dumps(about | members)}\n{{"type":"end","records":1}}\n')
    errors = io.StringIO()
    with contextlib.suppress(CommandError):
        call_command(
            "import_grants", str(path), on_error="skip", stdout=io.StringIO(), stderr=errors
        )
    return errors.getvalue()


def test_a_caller_in_python_is_held_to_the_same_rules(world):
    for held in (
        Content(frozenset({("a b", None)})),
        Content(frozenset({("", None)})),
        Content(frozenset({("a", "no URI")})),
        Content(claims=frozenset({""})),
        Content(claims=frozenset({"a\ud800"})),
        Content(details=("{}",)),
        Content(details=('{"type":"t","n":1e99999}',)),
        Content(details=("x",)),
    ):
        with pytest.raises(LifecycleError) as refused:
            complete(world, held)
        assert refused.value.error == "invalid_request"
    assert not Grant.objects.exists()


def test_the_bridge_is_held_to_the_same_rules():
    """What it hands to the lifecycle is read as everything else is."""
    read = Content.read
    assert read([{"scope": "b a", "resource": ["u:1"]}], ["c"], None).pairs == {
        ("a", "u:1"),
        ("b", "u:1"),
    }
    with pytest.raises(TooLarge):
        read([{"scope": "a b"}], None, None, Limits(1, 1_000))
    with pytest.raises(TooLarge):
        read(None, ["c" * 100], None, Limits(1, 100))


def untraced(event):
    """The details of an event without its trace, which it has with `--traced`."""
    return {name: one for name, one in event.details.items() if name not in MEMBERS}


class TestEvents:
    """What is kept for ever grows with what was sent, not with what is there."""

    def sizes(self, world, held, merges):
        grant = world.grant(authorization_details=as_text(details(held)))
        for number in range(merges):
            more = [{"type": "u", "n": number}]
            path = f"grants/{grant.grant_id}/merge"
            assert send(world, path, authorizationDetails=as_text(more))[0] == 200
        events = GrantEvent.objects.filter(grant_id=grant.grant_id)
        return [len(json.dumps(untraced(event))) for event in events]

    def test_a_short_grant_has_both_contents(self, world):
        assert all(0 < size < 2 * WHOLE for size in self.sizes(world, 1, 3))
        assert untraced(GrantEvent.objects.last()).keys() == {"before", "after", "request_id"}

    def test_a_long_one_has_what_changed(self, world):
        """Sent 30 bytes at a time, to a grant of 200 KB."""
        sizes = self.sizes(world, 1_500, 20)
        assert len(sizes) == 20
        assert max(sizes) < 200
        last = GrantEvent.objects.order_by("-pk").first()
        assert untraced(last) == {
            "added": '{"authorization_details":[{"type":"u","n":19}]}',
            "removed": "{}",
            "request_id": ANY,
        }

    def test_a_replace_says_what_went_and_what_came(self, world):
        held = details(500)
        grant = world.grant(scopes="", authorization_details=as_text(held), claims='["a","b"]')
        kept = as_text(held[:499])
        path = f"grants/{grant.grant_id}/replace"
        assert send(world, path, authorizationDetails=kept, claims='["b","c"]')[0] == 200
        told = GrantEvent.objects.get().details
        gone = as_text(held[499:])
        assert told["removed"] == f'{{"claims":["a"],"authorization_details":{gone}}}'
        assert told["added"] == '{"claims":["c"]}'

    def test_the_timeline_shows_both_kinds(self, world, admin_client):
        grant = world.grant(scopes="", authorization_details=as_text(details(500)))
        for action, member in (("merge", '["new-claim"]'), ("replace", '["other-claim"]')):
            assert send(world, f"grants/{grant.grant_id}/{action}", claims=member)[0] == 200
        page = admin_client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
        timeline = page.context["timeline"]
        assert timeline[1]["added"] == ["new-claim"]
        assert timeline[0]["is_long"]
        said = GrantEvent.objects.get(kind="replaced").details
        assert "other-claim" in said["added"]


class TestPages:
    """Bytes and columns."""

    def test_a_grants_page(self, world, admin_client):
        """As long as a grant can be, changed as often as its page shows."""
        grant = world.grant(authorization_details=as_text(details(1_500)))
        big = {"added": Content(details=tuple(map(as_text, details(1_500)))).text()}
        for _ in range(100):
            grant.record("merged", now(), Actor.client("app-1"), details=big)
        page = admin_client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
        assert len(page.content) < 2_000_000
        assert all(one["is_long"] and not one["added"] for one in page.context["timeline"])
        assert b"too long for this page" in page.content
        assert b"It holds more than fits here" in page.content

    def test_one_long_detail_is_not_drawn_as_a_tree(self, world, admin_client):
        """Brackets alone would be a hundred times as long to be read."""
        deep = '{"type":"t","a":%s}' % ("[" * 60 + ",".join(["1"] * 100_000) + "]" * 60)
        grant = world.grant(authorization_details=f"[{deep}]")
        page = admin_client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
        assert len(page.content) < 5 * len(deep)

    @pytest.mark.parametrize("limit", [3, 50, 60, 1_000])
    def test_a_list_is_cut_where_it_is_long(self, world, limit):
        text = as_text(details(1_500))
        made = {world.grant(authorization_details=text).grant_id for _ in range(55)}
        seen, cursor, pages = [], {}, 0
        while cursor is not None:
            status, page = send(
                world, "grants/list", subject='"user-1"', limit=str(limit), **cursor
            )
            assert status == 200
            assert len(page["grants"]) <= min(limit, 50)
            seen += [one["grantId"] for one in page["grants"]]
            cursor = {"cursor": json.dumps(page["cursor"])} if "cursor" in page else None
            pages += 1
        assert (len(seen), set(seen)) == (55, made)

    def statements(self, function):
        with CaptureQueriesContext(connection) as captured:
            function()
        return [one["sql"] for one in captured if one["sql"].startswith("SELECT")]

    def test_what_is_revoked_is_not_read(self, world):
        grants = [world.grant() for _ in range(3)]
        wanted = GrantFilter(world.service, subject="user-1")
        keys = [grant.pk for grant in grants]
        read = self.statements(lambda: list(wanted.found()))
        read += self.statements(
            lambda: Grant.objects.revoke_all(
                world.service, keys, None, Actor.command("x"), Reason("")
            )
        )
        assert Grant.objects.exclude(revoked_at=None).count() == 3
        assert any('"grant_management_grant"' in sql for sql in read)
        assert not any('"authorization_details"' in sql for sql in read)

    def test_tokens_are_exported_without_what_their_grants_hold(self, world):
        read = [str(rows.query) for rows in exporter._rows(world.service)]
        tokens = [sql for sql in read if "accesstoken" in sql or "refreshtoken" in sql]
        assert len(tokens) == 2
        assert not any('"authorization_details"' in sql for sql in tokens)
