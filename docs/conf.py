"""The documents' site: `python3 run.py docs` builds it into build/docs.

The pages are plain Markdown, so that a repository's web view shows them too. Their order on the
site is added here, since a `toctree` in a page would be shown there as code.
"""

import os
import sys
from pathlib import Path
from typing import Any

import django
from pygments.lexers import JsonLexer
from sphinx.application import Sphinx
from sphinx.project import Project

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
    "The project": "project",
}
ROOT = Path(__file__).resolve().parents[1]
FILES = ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY", "CODE_OF_CONDUCT")
OUTSIDE = {
    **{f"project/{name.lower().replace('_', '-')}": ROOT / f"{name}.md" for name in FILES},
    **{f"project/{one.parent.name}": one for one in sorted(ROOT.glob("examples/*/README.md"))},
}
"""Files that are pages of the site by these names, and stand where a web view looks for them."""


class Pages(Project):
    """The pages of this folder, and those outside of it, so that a link leads to its page."""

    def discover(self, *args: Any, **kwargs: Any) -> set[str]:
        """Find those of this folder, and add the others."""
        super().discover(*args, **kwargs)
        self.docnames |= OUTSIDE.keys()
        return self.docnames

    def path2doc(self, filename: str | os.PathLike[str]) -> str | None:
        """Return the name of the page that this file is."""
        path = Path(self.srcdir, filename).resolve()
        return next((one for one in OUTSIDE if OUTSIDE[one] == path), super().path2doc(filename))

    def doc2path(self, docname: str, absolute: bool) -> Any:
        """Return the file of the page of this name."""
        if docname in OUTSIDE:
            found = os.path.relpath(OUTSIDE[docname], self.srcdir)
            return self.srcdir / found if absolute else type(self.srcdir)(found)
        return super().doc2path(docname, absolute)


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
    own = sorted(f"{folder}/{one.stem}" for one in ROOT.glob(f"docs/{folder}/*.md"))
    return own + [name for name in OUTSIDE if name.startswith(f"{folder}/")]


def setup(app: Sphinx) -> None:
    """Register what is above with Sphinx."""
    app.add_lexer("jsonl", JsonLexer)
    app.connect("builder-inited", add_pages)
    app.connect("source-read", add_contents)
