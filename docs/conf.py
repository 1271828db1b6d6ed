"""The documents' site: `python3 run.py docs` builds it into build/docs.

The pages are plain Markdown, so that a repository's web view shows them too. Their order on the
site is added here, since a `toctree` in a page would be shown there as code.
"""

import os
import re
import sys
from pathlib import Path

import django
from pygments.lexers import JsonLexer
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
django.setup()

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
}


def prepare(app: Sphinx, name: str, source: list[str]) -> None:
    """Make what Sphinx reads of a page.

    Markdown files outside of this folder become downloads. The first page gets the pages of each
    section, hidden: the site's sidebar is made of it.
    """
    source[0] = re.sub(
        r"\]\(((?:\.\./)+(?:examples/\w+/)?[A-Z]+\.md)[^)]*\)", r"](path:\1)", source[0]
    )
    if name == "index":
        source[0] += "".join(
            f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {title}\n\n{folder}/*\n```\n"
            for title, folder in SECTIONS.items()
            if any(Path(app.srcdir, folder).glob("*.md"))
        )


def setup(app: Sphinx) -> None:
    """Register what is above with Sphinx."""
    app.add_lexer("jsonl", JsonLexer)
    app.connect("source-read", prepare)
