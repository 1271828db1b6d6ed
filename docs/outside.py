"""Pages of the site whose files are not in this folder.

In a module of its own: Sphinx keeps what it has read, with this class, in a file.
"""

import os
from pathlib import Path
from typing import Any

from sphinx.project import Project

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
