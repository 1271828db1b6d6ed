"""The site is built without a warning, can be searched offline, and loads nothing from elsewhere."""

import re
import subprocess
import sys

import pytest

from ..standalone import ROOT, environment

LOADS = re.compile(
    r"<(?:script|img|iframe|source|audio|video|embed)\b[^>]*\bsrc=[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|icon)[^>]*\bhref=[\"']?(?:https?:)?//"
    r"|@import\s+(?:url\()?[\"']?(?:https?:)?//"
    r"|url\([\"']?(?:https?:)?//",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory, request):
    pytest.importorskip("sphinx")
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")
    folder = tmp_path_factory.mktemp("site")
    line = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(folder)]
    done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_every_page_is_built(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix("") for path in ROOT.glob("docs/**/*.md")}
    built = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    assert pages <= built


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("reference/python", "../project/readme.html#add-it-to-a-django-project"),
        ("project/readme", "../reference/admin.html#first-steps"),
        ("project/contributing", "../explanation/reliability.html#a-cluster"),
        ("project/security", "../how-to/operations.html#without-a-proxy"),
        ("index", "project/changelog.html"),
        ("index", "project/code-of-conduct.html"),
        ("index", "project/allauth_idp.html"),
    ],
)
def test_files_beside_the_documents_are_pages(site, page, link):
    """A link between them and the documents leads to a page, and no page is downloaded."""
    assert f'href="{link}"' in (site / f"{page}.html").read_text()
    assert (site / page).parent.joinpath(link.partition("#")[0]).exists()
    assert [*site.glob("_downloads/**/*.md")] == []


def test_nothing_is_loaded_from_elsewhere(site):
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        assert not LOADS.search(path.read_text()), path


def test_search_needs_no_network(site):
    index = (site / "searchindex.js").read_text()
    assert "reference/codes" in index
    assert "a279306" in index.lower()
    assert "searchindex.js" in (site / "search.html").read_text()
    assert not re.search(
        r"https?://", (site / "_static/searchtools.js").read_text().split("*/")[-1]
    )


def test_codes_have_anchors(site):
    assert 'id="a279306"' in (site / "reference" / "codes.html").read_text()
