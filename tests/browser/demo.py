"""The demo as a process of its own, and a browser to look at it."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from dataclasses import dataclass

import psutil
import pytest
from playwright.sync_api import sync_playwright

from ..standalone import ROOT, environment, free_port

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A test's browser calls nobody but the demo, and runs where there is no sandbox to be had.
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Some of what a browser is asked has no limit of its own: a script, a download, to close.
PATIENCE = 180
second_try = pytest.mark.flaky(reruns=1, only_rerun="TargetClosedError")
"""For tests in a browser: where it had to be ended, once more in a new one."""
LINES = re.compile(
    r"Admin: (?P<admin>\S+) +user: (?P<user>\S+) +password: (?P<password>\S+)"
    r".*?Connected apps: (?P<apps>\S+) +user: (?P<person>\S+)"
    r".*?/api/(?P<service>\d+)/auth/gm.*?Bearer (?P<api_token>[^']+)'"
    r'.*?"accessToken": "(?P<access_token>[^"]+)".*?"grantId": "(?P<grant_id>[^"]+)"',
    re.DOTALL,
)


@dataclass
class Demo:
    """What it printed."""

    admin: str
    user: str
    password: str
    apps: str
    person: str
    service: str
    api_token: str
    access_token: str
    grant_id: str
    language: str = "en"
    """The one that its operator chose."""

    def url(self, path):
        return f"{self.admin}grant_management/{path}"

    def send(self, door, body):
        """Post to a door of its service's API; the answer's body."""
        host = self.admin.removesuffix("/admin/")
        asked = urllib.request.Request(
            f"{host}/api/{self.service}/{door}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.api_token}"},
        )
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)

    def give(self, client, subject, grants=1):
        """So many active grants to a client, which is created where it is new; their grant IDs."""
        about = {"clientIdentifier": client}
        self.send("clients", about | {"name": client.title()})
        held = {"subject": subject, "scopes": [{"scope": "openid"}], "active": True}
        return [self.send("grants", about | held)["grantId"] for _ in range(grants)]

    def token(self, client, subject, grant_id, *actions):
        """An access token of a grant, which allows these actions of grant management."""
        scopes = [f"grant_management_{action}" for action in actions]
        about = {"clientIdentifier": client, "subject": subject, "grantId": grant_id}
        made = about | {"grantType": "AUTHORIZATION_CODE", "scopes": scopes}
        return self.send("auth/token/create", made)["accessToken"]

    def call(self, action, grant_id, token):
        """A call of the grant management API; its result code."""
        body = {"gmAction": action, "grantId": grant_id, "accessToken": token}
        return self.send("auth/gm", body)["resultCode"]


def type_the_phrase(page):
    """What the page asks to type before it revokes, if it asks for anything."""
    if page.locator("[name=typed]").count():
        page.fill("[name=typed]", phrase_of(page))


def phrase_of(page):
    """What the page, which is in English, asks to type."""
    return page.inner_text("label[for=id_typed]").removeprefix("To confirm, type ").strip()


def revoke_all_of(page, demo, client):
    """Revoke a client's grants by filter, to the page of the job that is done."""
    page.goto(demo.url(f"sweep/start/?client={client}"))
    page.click("[value=Check]")
    type_the_phrase(page)
    page.check("[name=reason][value=other]")
    page.click("[value=Revoke]")
    page.wait_for_selector(".gm-done")


@contextlib.contextmanager
def running_demo():
    """The demo, once it has said all it says."""
    line = [sys.executable, "-m", "gm_project.demo", "--port", str(free_port())]
    process = subprocess.Popen(line, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        said = ""
        while "Revoke it:" not in said:
            read = process.stdout.readline()
            assert read, said
            said += read
        yield Demo(**LINES.search(said).groupdict())
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def find_chromium():
    """Its path, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextlib.contextmanager
def running_browser(patience=PATIENCE):
    """Whoever waits for it for longer than these seconds gets a TargetClosedError."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        timer = threading.Timer(patience, _end_browsers)
        timer.start()
        try:
            yield browser
            browser.close()
        finally:
            timer.cancel()


def _end_browsers():
    """Those of this process; Playwright then tells whoever waits."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "chrom" in process.name():
                process.kill()


def log_in(page, demo):
    page.goto(demo.admin)
    page.fill("#id_username", demo.user)
    page.fill("#id_password", demo.password)
    page.press("#id_password", "Enter")
    page.wait_for_selector("#user-tools")


def speak(page, demo, language):
    """Let the operator, who has logged in, choose a language."""
    if demo.language != language:
        page.goto(demo.url("operatorpreference/"))
        page.select_option("[name=language]", language)
        with page.expect_navigation():
            page.click("form.gm-form .default")
        demo.language = language


def log_in_as_person(page, demo):
    page.goto(demo.apps)
    page.fill("[name=username]", demo.person)
    page.fill("[name=password]", demo.password)
    with page.expect_navigation():
        page.press("[name=password]", "Enter")
    page.wait_for_selector(".gms h1")
    page.wait_for_load_state("networkidle")


def must_have():
    """Whether a missing browser is a failure: where continuous integration judges."""
    return bool(os.environ.get("CI"))
