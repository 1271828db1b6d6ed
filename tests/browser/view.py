"""How a page is looked at: the size of the window, the theme and the language."""

from dataclasses import dataclass
from itertools import product

# A window 1280 pixels wide shows 320 of them at 400 % (WCAG 1.4.10).
SIZES = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "360 px": {"viewport": {"width": 360, "height": 740}},
    "400 % zoom": {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4},
}
THEMES = ("light", "dark")
LANGUAGES = ("en", "de", "ja")
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""Pixels that a page is wider than its window."""


@dataclass(frozen=True)
class View:
    """A size, a theme and a language."""

    size: str = "wide"
    theme: str = "light"
    language: str = "en"

    def __str__(self):
        return f"{self.size}, {self.theme}, {self.language}"

    def options(self):
        """Those of a browser's context. axe runs as a script that no policy of a page allows."""
        seen = {"color_scheme": self.theme, "locale": self.language, "bypass_csp": True}
        return SIZES[self.size] | seen

    @property
    def is_narrow(self):
        return self.size != "wide"


def some(number):
    """Two views for the story of this number, such that any six stories in a row see each size,
    theme and language by each hand.
    """
    return [
        View(
            list(SIZES)[(number + hand) % 3],
            THEMES[(number + hand) % 2],
            LANGUAGES[(number // 2 + hand) % 3],
        )
        for hand in range(2)
    ]


def every():
    """All views."""
    return [View(*one) for one in product(SIZES, THEMES, LANGUAGES)]
