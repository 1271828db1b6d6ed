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


@pytest.fixture(params=["de", "ja"])
def catalogue(request):
    """Of one language: each text, and its translation or forms of one, by number."""
    path = ROOT / f"grant_management/locale/{request.param}/LC_MESSAGES/django.mo"
    found = {}
    for key, other in texts(path).items():
        text, form = (key, 0) if isinstance(key, str) else key
        found.setdefault(text, {})[form] = other
    del found[""]
    return found


def test_each_marked_text_is_translated_and_no_other(catalogue):
    """`make messages` was run: also for texts that no test sees on a page."""
    assert catalogue.keys() ^ marked() == set()


def test_placeholders_agree(catalogue):
    """A form for one may leave out the number; none has a name that the text does not have."""
    for text, forms in catalogue.items():
        for other in forms.values():
            assert placeholders(other) == placeholders(text.rpartition("\x04")[2]), text


def placeholders(text):
    return sorted(re.findall(r"%\(\w+\)s|%s|\{\w*\}", text))


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
