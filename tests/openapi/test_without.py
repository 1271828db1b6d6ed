"""The app works where the extra `openapi` is not installed."""

import subprocess
import sys

from ..standalone import ROOT, environment

PROGRAM = """
import sys
sys.modules["drf_spectacular"] = sys.modules["drf_spectacular_sidecar"] = None
import django
django.setup()
from django.core.management import call_command
from django.urls import get_resolver
call_command("check")
get_resolver().url_patterns
"""
"""A module that is None cannot be imported."""


def run(**more):
    values = environment(DJANGO_SETTINGS_MODULE="gm_project.settings", **more)
    line = [sys.executable, "-c", PROGRAM]
    return subprocess.run(line, cwd=ROOT, env=values, capture_output=True, text=True)


def test_nothing_imports_it():
    done = run(DATABASE_URL="sqlite://:memory:")
    assert done.returncode == 0, done.stderr


def test_the_document_needs_it():
    done = run(DATABASE_URL="sqlite://:memory:", API_SCHEMA="on")
    assert done.returncode != 0
    assert "drf_spectacular" in done.stderr
