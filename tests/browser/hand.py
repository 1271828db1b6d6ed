"""Somebody at a page, with a mouse or with a keyboard alone. What they do is one word for both."""

from pathlib import Path

FOCUS = """(selector) => {
  const one = document.activeElement, before = window.focusedBefore;
  window.focusedBefore = one;
  if (!one || one === document.body) return { isBody: true };
  const box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
  const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
  const on = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const wrong = [];
  if (!(left < right && top < bottom)) wrong.push("out of sight");
  else if (!on || !(one.contains(on) || on.contains(one) || on.closest("label")?.control === one))
    wrong.push("covered");
  // Of a date the browser marks the part that is typed.
  const marksItself = one.type === "date" || one.closest("svg");
  if (style.outlineStyle === "none" && style.boxShadow === "none" && !marksItself)
    wrong.push("no ring");
  if (before?.isConnected && before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING)
    wrong.push("back up");
  return { isThere: one.matches(selector), html: one.outerHTML.slice(0, 160), wrong };
}"""
"""Where the focus is, and what is wrong with it: WCAG 2.4.3, 2.4.7 and 2.4.11."""
STOPS = 150
"""The most presses of Tab to a control."""
MENU = "#gm-navigation"
SEARCH = "#gm-search"
SUBMIT = "form.gm-form [type=submit]"


class Hand:
    """What both do. `look` is called with each page, once it is there."""

    def __init__(self, page, look):
        self.page, self.look, self.clicks = page, look, 0

    def start(self, url):
        """Be on a page, from which clicks are counted."""
        self.page.goto(url)
        self.clicks = 0

    def log_in(self, url, user, password):
        """By the form of an admin's or of a host's login."""
        self.page.goto(url)
        self.look(self.page)
        self.type("[name=username]", user)
        self.type("[name=password]", password)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def enter(self, then="h1"):
        """Send the form whose field was just typed in, to a page which has `then`."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self._arrive(then)

    def follow(self, selector, then="h1"):
        """A link or a button, to a page which has `then`."""
        with self.page.expect_navigation():
            self.act(selector)
        self._arrive(then)

    def _arrive(self, then):
        self.page.wait_for_selector(then)
        self.look(self.page)

    def navigate(self, path):
        """By the navigation, which is behind a button on a narrow screen."""
        if self.page.is_visible(".gm-menu"):
            self.act(".gm-menu")
            self.page.wait_for_selector(f"{MENU} a:focus")
        self.follow(f"{MENU} a[href$='{path}']")

    def filters(self):
        """Get to the filters of a list, which wait behind their number on a narrow screen. The
        clicks that it took: 1 or 0.
        """
        before, closed = self.clicks, ".gm-fold-filters:not([open]) summary"
        if self.page.is_visible(closed):
            self.act(closed)
        return self.clicks - before

    def values(self, selector):
        """Those of some fields."""
        return self.page.eval_on_selector_all(selector, "all => all.map((one) => one.value)")

    def download(self, selector):
        """The bytes of a file."""
        with self.page.expect_download() as download:
            self.act(selector)
        return Path(download.value.path()).read_bytes()


class Mouse(Hand):
    """To choose in a list is one click; so is to begin to type in a field."""

    def act(self, selector):
        self.page.click(selector)
        self.clicks += 1

    tick = act

    def choose(self, selector, value):
        self.act(selector)
        self.page.select_option(selector, value)

    def type(self, selector, text):
        self.act(selector)
        self.page.keyboard.type(text)

    def search(self, text):
        self.type(SEARCH, text)
        self.enter()


class Keyboard(Hand):
    """By Tab to each control; the focus is seen wherever it stops on the way."""

    def act(self, selector):
        self.reach(selector)
        self.page.keyboard.press("Enter")

    def tick(self, selector):
        """A checkbox, or one of several radio buttons: the arrows go from one to the next."""
        name, kind = (self.page.get_attribute(selector, one) for one in ("name", "type"))
        self.reach(f"[name={name}]" if kind == "radio" else selector)
        self.page.keyboard.press("Space")
        self._arrow_until(f"{selector}:checked")

    def choose(self, selector, value):
        self.reach(selector)
        self._arrow_until(f"{selector}:has(option[value='{value}']:checked)")

    def _arrow_until(self, selector):
        for _ in range(30):
            if self.page.locator(selector).count():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the arrows do not get to {selector}")

    def type(self, selector, text):
        self.reach(selector)
        self.page.keyboard.type(text)

    def search(self, text):
        self.page.keyboard.press("/")
        self.page.keyboard.type(text)
        self.enter()

    def reach(self, selector):
        """Press Tab until the focus is there."""
        self.page.locator(selector).first.wait_for()
        self.page.evaluate("window.focusedBefore = null")
        bodies = 0
        for _ in range(STOPS):
            focus = self.page.evaluate(FOCUS, selector)
            if focus.get("isThere"):
                assert focus["wrong"] == [], focus["html"]
                return
            assert not focus.get("wrong"), (focus["html"], focus["wrong"])
            bodies += "isBody" in focus
            assert bodies <= 2, f"Tab went round, and never to {selector}"
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not get to {selector}")


HANDS = {"mouse": Mouse, "keyboard": Keyboard}
