"""What sentry-sdk, unmodified, is sent of a bug at each statement of each door with credentials."""

import json
import subprocess
import sys

import pytest

from ..standalone import ROOT, environment

pytest.importorskip("sentry_sdk")
pytestmark = pytest.mark.usefixtures("seen_once")
PAGES = {"what-if", "what-if, a body"}
"""Forms: a bug in Django's own middleware, before this app, has the form that Sentry reads."""


def tracked(*arguments):
    line = [sys.executable, "-m", "tests.docs_pages.tracked", *arguments]
    done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3_000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_defaults():
    """Of our doors nothing is sent, whatever the tracker is told; each bug is reported."""
    doors = tracked()
    assert len(doors) == 18
    for name, door in doors.items():
        assert door["sent"] >= door["bugs"] >= 1, name
        assert name in PAGES or door["leaked"] == [], name


def test_as_the_page_says():
    doors = tracked("how-to/error-tracker.md")
    assert {name: door["leaked"] for name, door in doors.items() if door["leaked"]} == {}
    assert all(door["sent"] >= door["bugs"] >= 1 for door in doors.values())
