"""A language that shows what is not marked: it has each marked text in letters that are not ASCII."""

import re
from contextlib import contextmanager

from django.test import override_settings
from django.utils.translation import trans_real

KEPT = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]*>|&\w+;|https?://\S+")
"""What is filled into a text, and code: it stays as it is."""
WIDE = {
    code: code + 0xFEE0 for code in map(ord, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
}


def widened(message):
    """The text in wide letters, without its context."""
    text = message.rpartition("\x04")[2]
    parts = [part.translate(WIDE) for part in KEPT.split(text)]
    kept = [*KEPT.findall(text), ""]
    return "".join(part + one for part, one in zip(parts, kept, strict=True))


class WideLetters(trans_real.DjangoTranslation):
    """A catalogue that has everything, in wide letters."""

    def gettext(self, message):
        return widened(message)

    def ngettext(self, singular, plural, number):
        return widened(singular if number == 1 else plural)


@contextmanager
def in_wide_letters():
    """In this context the site's language is German, written in wide letters."""
    with override_settings(LANGUAGE_CODE="de"):
        kept = dict(trans_real._translations)
        trans_real._translations["de"] = WideLetters("de")
        trans_real._default = None
        try:
            yield
        finally:
            trans_real._translations.clear()
            trans_real._translations.update(kept)
            trans_real._default = None
