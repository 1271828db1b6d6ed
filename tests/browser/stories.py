"""What people do with the pages, from start to end. Nothing here depends on a language."""

import json
import secrets
from urllib.parse import urlsplit

from ..exports import read_csv
from .first_call import call_of_page
from .hand import SUBMIT

MANY = 11
"""Grants of which the number must be typed before they are revoked."""
DONE = ".gm-done"


def phone_call(hand, demo):
    """One grant of somebody who calls; then all three of somebody else."""
    for grants in (1, 3):
        subject = f"caller-{secrets.token_hex(4)}"
        demo.give("budget-app", subject, grants)
        hand.start(demo.url("dailycount/"))
        hand.search(subject)
        if grants == 1:
            hand.follow("[name=one]")
        else:
            for key in hand.values("[name=grant]"):
                hand.tick(f"[name=grant][value='{key}']")
            hand.follow("[name=these][value=selected]")
        hand.tick("[name=reason][value='requested by user']")
        hand.type("[name=ticket]", "T-1")
        hand.enter(then=".messagelist")
        assert hand.page.locator("table.gm-receipt tbody tr").count() == grants
        assert hand.clicks <= 5 + (grants - 1)


def incident(hand, demo):
    """Revoke by filter all that an app holds, and take the report."""
    client = f"leaky-{secrets.token_hex(4)}"
    demo.give(client, "user-1", MANY)
    hand.start(demo.url("dailycount/"))
    hand.navigate("sweep/start/")
    hand.type("[name=client]", client)
    hand.follow(SUBMIT, then="[name=typed]")
    hand.type("[name=typed]", str(MANY))
    hand.tick("[name=reason][value='suspected fraud']")
    hand.follow(SUBMIT, then=DONE)
    lines = read_csv(hand.download("button[formaction$='report.csv']"))
    assert [line["client_id"] for line in lines] == [client] * MANY
    assert hand.clicks <= 8


def cut_off(hand, demo):
    """Cut off an app, and take the receipt."""
    client = f"stolen-{secrets.token_hex(4)}"
    demo.give(client, "user-1", MANY)
    hand.start(demo.url("dailycount/"))
    hand.search(client)
    hand.follow(".gm-hits a")
    hand.follow("a[href$='/cut-off/']")
    hand.type("[name=typed]", str(MANY))
    hand.tick("[name=reason][value='compromised key']")
    hand.type("[name=ticket]", "T-77")
    hand.follow(SUBMIT, then=".gm-receipt")
    receipt = json.loads(hand.download("a[href$='receipt.json']"))
    assert (receipt["ticket"], receipt["client_id"]) == ("T-77", client)
    assert hand.clicks <= 8


def auditor(hand, demo):
    """What one operator revoked, as a CSV file; with the menu of a narrow screen, too."""
    hand.start(demo.url("dailycount/"))
    hand.navigate("grantevent/")
    hand.follow(".gm-views a[href*='kind=revoked']")
    more = hand.filters()
    hand.type("[name=q]", "ann")
    rows = read_csv(hand.download("button[formaction*='export.csv']"))
    assert {(row["kind"], row["actor"]) for row in rows} == {("revoked", "ann")}
    assert hand.clicks <= 5 + more


def question(hand, demo):
    """Why a call was refused, and what the answer would be with a token that allows it."""
    client = f"asks-{secrets.token_hex(4)}"
    (grant_id,) = demo.give(client, "user-1")
    token, better = (
        demo.token(client, "user-1", grant_id, *actions)
        for actions in (["query"], ["query", "revoke"])
    )
    refused = demo.call("REVOKE", grant_id, token)
    hand.start(demo.url("dailycount/"))
    hand.navigate("call/")
    more = hand.filters()
    hand.choose("[name=outcome]", "refused")
    hand.type("[name=client]", client)
    hand.enter()
    hand.follow("[data-row] a")
    assert refused in hand.page.inner_text("main")
    before, _, after = states(hand.page).partition("refused")
    assert "passed" in before
    assert set(after.split()) == {"not-reached"}
    hand.follow(".gm-related a[href*='/grant/'][href$='/change/']")
    hand.follow(".gm-tools a[href*='/what-if/']")
    hand.choose("[name=gm_action]", "REVOKE")
    hand.type("[name=access_token]", better)
    hand.follow(SUBMIT, then="main pre")
    assert '"action": "NO_CONTENT"' in hand.page.inner_text("main pre")
    assert "refused" not in states(hand.page)
    assert better not in hand.page.content()
    assert demo.call("QUERY", grant_id, better) == "A277001"  # nothing was revoked
    assert hand.clicks <= 10 + more


def states(page):
    """Those of a call's checks, in their order and without the words of a language."""
    named = "all => all.map((one) => one.className.replace('gm-state gm-', '')).join(' ')"
    return page.eval_on_selector_all("tbody .gm-state", named)


def connected_apps(hand, demo):
    """A person looks at what an app may do, hesitates, and removes its access."""
    client = f"app-{secrets.token_hex(4)}"
    demo.give(client, demo.person)
    hand.log_in(demo.apps, demo.person, demo.password)
    card = f".gms-card:has(h2 :text-is('{client.title()}'))"
    path = urlsplit(hand.page.get_attribute(f"{card} .gms-danger", "href")).path
    app = path.removesuffix("remove/")
    hand.start(demo.apps)
    hand.look(hand.page)
    hand.follow(f"a[href='{app}']")
    hand.follow(f"a.gms-danger[href='{path}']")
    hand.follow(f".gms-actions a[href='{app}']")  # Cancel
    hand.follow(f"a.gms-danger[href='{path}']")
    hand.follow("button.gms-danger", then="[role=status]")
    assert hand.page.locator(".gms-danger").count() == 0
    assert hand.clicks <= 5


def first_run(hand, console):
    """From an empty database to the call that arrived."""
    hand.start(console.admin)
    hand.look(hand.page)
    hand.follow("a[href*='/organization/create/']")
    hand.type("[name=name]", "Example Bank")
    hand.follow(SUBMIT, then="[aria-current=step]")
    hand.follow("a[href*='/service/create/']")
    hand.type("[name=name]", "Retail")
    hand.follow(SUBMIT, then="[aria-current=step]")
    hand.follow("a[href*='/apitoken/issue/']")
    hand.type("[name=description]", "first")
    hand.follow(SUBMIT, then="#value")
    value = hand.page.input_value("#value")
    hand.follow("#content a.button", then="[data-awaits]")
    assert value not in hand.page.content()
    assert call_of_page(hand.page, value)["resultCode"] == "A279306"
    hand.page.wait_for_selector(".gm-next")  # by itself
    hand.look(hand.page)
    hand.follow(".gm-checklist a[href*='/call/']")


STORIES = [phone_call, incident, cut_off, auditor, connected_apps, first_run, question]
