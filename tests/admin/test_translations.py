"""The texts of the pages in other languages."""

import gettext
import re
import shutil
import subprocess

import pytest
from django.test import override_settings
from django.urls import reverse

from ..docs.tables import rows
from ..standalone import ROOT
from .marked import marked

CATALOGUES = sorted(ROOT.glob("grant_management/locale/*/LC_MESSAGES/django.po"))


def texts(path):
    """The catalogue of a compiled file."""
    with path.open("rb") as stream:
        return gettext.GNUTranslations(stream)._catalog


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_it_is_compiled_as_it_is_written(path, tmp_path):
    """And what is filled into a text has the same names in both languages."""
    made = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check", "-o", made, path], check=True)
    assert texts(made) == texts(path.with_suffix(".mo"))


FILLED = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_what_is_filled_in_is_the_same(path):
    """In texts that gettext's own check does not know as formats, too."""
    wrong = {}
    for key, other in texts(path.with_suffix(".mo")).items():
        text = key if isinstance(key, str) else key[0]
        if text and sorted(FILLED.findall(text)) != sorted(FILLED.findall(other)):
            wrong[text] = other
    assert wrong == {}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_each_marked_text_is_translated_and_no_other(path):
    """`make messages` was run: also for texts that no test sees on a page."""
    known = {key if isinstance(key, str) else key[0] for key in texts(path.with_suffix(".mo"))}
    assert known ^ marked() == {""}


def test_the_glossary_says_what_the_catalogues_say():
    table = rows("glossary", ["English", "German", "Japanese", "meaning"])
    assert len(table) > 20
    for column, language in ((1, "de"), (2, "ja")):
        path = ROOT / f"grant_management/locale/{language}/LC_MESSAGES/django.mo"
        known = texts(path)
        for row in table:
            assert known.get(row[0], known.get((row[0], 0))) == row[column], row


@override_settings(LANGUAGE_CODE="de")
def test_the_admin_speaks_the_language_of_the_host(admin_client):
    page = admin_client.get(reverse("admin:grant_management_grant_changelist"))
    assert "Nach Filter widerrufen…" in page.content.decode()
    assert "Revoke by filter…" not in page.content.decode()
