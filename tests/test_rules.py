"""Rules that hold by construction, so that the next fault of their kind is hard to write."""

import re
from pathlib import Path

import pytest
from django.apps import apps

from grant_management.db.primary import PrimaryQuerySet

PACKAGE = Path(__file__).parent.parent / "grant_management"
DB = PACKAGE / "db"
BRIDGE = PACKAGE / "contrib" / "oauth_toolkit"
CONFORMANCE = PACKAGE / "conformance"
SOURCES = [
    path
    for path in PACKAGE.rglob("*.py")
    if "migrations" not in path.parts and CONFORMANCE not in path.parents
]


def lines_with(pattern, *, besides=()):
    """Where the app's code has it."""
    return [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in SOURCES
        if path not in besides
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]


def test_one_clock():
    """The database's: nobody else asks what time it is. `ids` makes keys, whose order is all."""
    asked = r"timezone\.now|datetime\.now|utcnow|time\.time|date\.today|\bNow\(\)"
    allowed = (
        DB / "clock.py",
        DB / "joined.py",
        DB / "ids.py",
        BRIDGE / "validator.py",  # the toolkit stamps its own rows by its own clock
        BRIDGE / "device.py",
        BRIDGE / "device_views.py",
    )
    assert lines_with(asked, besides=allowed) == []


def test_bridges_import_what_is_public():
    """Of the packages that they extend: `internal` modules change without a word."""
    assert lines_with(r"(from|import) (allauth|oauth2_provider)\S*\binternal\b") == []


def test_every_transaction_names_its_database():
    named = r"transaction\.(atomic|on_commit)\(|import .*\batomic\b"
    assert lines_with(named, besides=(DB / "primary.py", DB / "snapshot.py")) == []
    assert lines_with(r"set_rollback\((?!True, using=)") == []
    assert lines_with(r"from django\.db import .*\bconnection\b") == []


@pytest.mark.parametrize(
    "model",
    list(apps.get_app_config("grant_management").get_models()),
    ids=lambda model: model.__name__,
)
def test_every_model_is_read_where_it_is_written(model):
    """By its manager, and by those that follow foreign keys (`_base_manager`)."""
    for manager in (model._default_manager, model._base_manager):
        assert isinstance(manager.get_queryset(), PrimaryQuerySet)


def test_one_reader():
    """What comes in and what is stored is read by `strict_json`, and by no other parser. Cursors of
    lists are this app's own, and so is what the tester shows.
    """
    allowed = (
        PACKAGE / "protocol" / "strict_json.py",
        DB / "keyset.py",
        PACKAGE / "admin" / "kit" / "form_fields.py",  # a decoder that reads by `strict_json`
        BRIDGE / "token_views.py",  # what the toolkit answers
        BRIDGE / "metadata.py",
        PACKAGE / "contrib" / "bridge" / "loopback.py",  # what the authorization server answers
    )
    assert lines_with(r"(?<!strict_)json\.loads|JSONDecoder|simplejson", besides=allowed) == []


def test_times_are_exact():
    """A float has no microseconds in the year 9999: `protocol.times` counts in whole ones."""
    windows = (PACKAGE / "endpoint" / "sender_constraint.py", PACKAGE / "models" / "nonce.py")
    assert lines_with(r"\.timestamp\(\)|fromtimestamp\(", besides=windows) == []


def test_numbers_of_json_are_converted_in_one_place():
    reading = (PACKAGE / "protocol" / "numbers.py", PACKAGE / "protocol" / "strict_json.py")
    assert lines_with(r"(int|float|Decimal)\([a-z_]*\.text\)", besides=reading) == []


TEMPLATES = [
    path
    for folder in ("examples", "gm_project", "grant_management", "templates")
    for path in (PACKAGE.parent / folder).rglob("*")
    if path.suffix in (".html", ".js", ".svg", ".txt")
]


def test_documents_are_named_by_their_address():
    """A wheel has no folder of documents."""
    places = r"(?<!DOCUMENTS}/)\b(docs|reference|how-to|explanation)/\S*\.md"
    results = PACKAGE / "protocol" / "results.py"  # knows no settings; it has the address itself
    assert lines_with(places, besides=(results,)) == []


def test_nothing_is_printed_unescaped():
    """Markup is written in templates and by `format_html`, whose first argument is a constant."""
    unescaped = r"\|\s*(safe|safeseq)\b|autoescape\s+off|(inner|outer)HTML|insertAdjacentHTML"
    assert [path for path in TEMPLATES if re.search(unescaped, path.read_text())] == []
    assert len(TEMPLATES) > 50
    assert lines_with(r"mark_safe|html_safe|def __html__|SafeString\([^)]") == []
    assert lines_with(r"format_html\((?![\"']|_\(|$)|format_html_join\([^\"']") == []


def test_a_help_text_is_a_constant():
    """Django prints help texts and nothing else of a form unescaped."""
    escaped = PACKAGE / "contrib" / "allauth_idp" / "authorization.py"
    ours = PACKAGE / "admin" / "kit" / "list_form.py"  # its template escapes
    assert lines_with(r"\.help_text\s*=(?!\s*_\()", besides=(escaped, ours)) == []
