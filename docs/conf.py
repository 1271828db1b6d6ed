"""The documents' site: `python3 run.py docs` builds it into build/docs.

The pages are plain Markdown, so that a repository's web view shows them too. Their order on the
site is added here, since a `toctree` in a page would be shown there as code.
"""

import os
import sys
from pathlib import Path

import django
from pygments.lexers import JsonLexer
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
django.setup()

from outside import OUTSIDE, Pages  # noqa: E402 - found by the path above

project = "django-grant-management"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 4
default_role = "code"
"""Docstrings put names between single backticks, as Markdown does."""
autodoc_typehints_format = "short"
smartquotes = False
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = project
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}
html_show_sphinx = False

SECTIONS = {
    "Tutorials": "tutorials",
    "How-to guides": "how-to",
    "Reference": "reference",
    "Explanation": "explanation",
    "The project": "project",
}


def add_pages(app: Sphinx) -> None:
    """Let Sphinx read the pages outside of this folder too."""
    app.project = app.env.project = Pages(app.srcdir, app.config.source_suffix)


def add_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the first page the pages of each section, hidden: the site's sidebar is made of it."""
    if name == "index":
        for title, folder in SECTIONS.items():
            names = "\n".join(pages(folder))
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{names}\n```\n"


def pages(folder: str) -> list[str]:
    """Return the names of a section's pages."""
    own = sorted(f"{folder}/{one.stem}" for one in HERE.glob(f"{folder}/*.md"))
    return own + [name for name in OUTSIDE if name.startswith(f"{folder}/")]


def setup(app: Sphinx) -> None:
    """Register what is above with Sphinx."""
    app.add_lexer("jsonl", JsonLexer)
    app.connect("builder-inited", add_pages)
    app.connect("source-read", add_contents)
