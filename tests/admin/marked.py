"""The texts that the code and the templates mark for translation, read from their source."""

import ast
import re

from django.utils.translation.template import templatize

from ..standalone import ROOT

ONE = frozenset(("_", "gettext", "gettext_lazy", "gettext_noop"))
SEVERAL = frozenset(("ngettext", "ngettext_lazy"))
IN_CONTEXT = frozenset(("pgettext", "pgettext_lazy"))
STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(n?p?)gettext\(\s*{STRING}(?:,\s*{STRING})?")
ELSEWHERE = "self_service"
"""It has catalogues of its own, which tests/contrib/test_self_service.py reads."""


def marked():
    """Each text, as a key of a catalogue: with its context, and without its plural form."""
    found = set()
    for folder in ("grant_management", "gm_project"):
        for path in (ROOT / folder).rglob("*.py"):
            if ELSEWHERE not in path.parts:
                found |= set(_of_code(path.read_text(encoding="utf-8")))
    for folder in ("templates", "grant_management", "gm_project"):
        for path in (ROOT / folder).rglob("*.html"):
            if ELSEWHERE not in path.parts:
                found |= set(_of_template(path.read_text(encoding="utf-8")))
    return found


def _of_code(source):
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
        if name in ONE | SEVERAL and texts:
            yield texts[0]
        elif name in IN_CONTEXT and len(texts) > 1:
            yield f"{texts[0]}\x04{texts[1]}"


def _of_template(source):
    """Django makes Python's calls of a template: the same that `makemessages` reads."""
    for name, first, second in CALL.findall(templatize(source)):
        text = ast.literal_eval(first)
        yield f"{text}\x04{ast.literal_eval(second)}" if "p" in name else text
