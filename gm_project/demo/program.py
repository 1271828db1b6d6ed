"""The demo: a server with sample data, and real calls to it, shown one by one.

`python -m gm_project.demo [--once] [--port N]`, as `run.py demo` calls it. Exit code 0: each call
was answered as expected.
"""

import argparse
import contextlib
import http.client
import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from gm_project.database.exclusive import Held, lock
from gm_project.database.private_files import make_directory
from gm_project.demo.receiver import Receiver
from gm_project.options import port_number
from gm_project.serving.children import PAUSE, Noted, end, end_at_interrupts, noting, start, wait
from gm_project.serving.listening import CannotListen, listen

ARRIVES_WITHIN = 30.0
"""Seconds. A server looks each few seconds for what it has to send."""
DEMO = Path(__file__).resolve().parent.parent / ".demo"
PORTS = range(8000, 8100)
"""Where it looks for a free port, unless one is asked for."""
if TYPE_CHECKING:
    from gm_project.demo.data import DemoData

console = Console(highlight=False)


def main() -> int:
    """Fill a database, start the server and make the calls; without `--once`, keep serving."""
    end_at_interrupts()
    parser = argparse.ArgumentParser(prog="run.py demo")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--port", type=port_number)
    options = parser.parse_args()
    port, claim = _claim_port(options.port)
    _use_own_database(port)
    receiver = Receiver(DEMO / f"{port}.pem")
    os.environ.update(receiver.environment())
    metrics = _count()

    from gm_project.demo.data import seed  # Django's settings are read from here on

    data = seed(f"http://127.0.0.1:{port}", receiver.url)
    with contextlib.closing(claim), noting() as noted, _server(port, noted) as server:
        passed = _call_all(port, data, noted)
        passed &= _show_webhook(receiver, data, noted)
        if passed and not options.once:
            console.print(_farewell(port, data, metrics), markup=False, soft_wrap=True)
            wait(server, noted)
            return 0
    noted.exit()
    return 0 if passed else 1


def _claim_port(wanted: int | None) -> tuple[int, Held]:
    """The port that is asked for, or the first free one of `PORTS`; and the lock of its database.

    Without the lock a second demo would delete that database before it finds the port taken.
    SystemExit: none is free, or the folder of the demo cannot be written.
    """
    ports, why = PORTS if wanted is None else (wanted,), ""
    try:
        make_directory(DEMO)
        for one in ports:
            try:
                listen("127.0.0.1", one).close()
            except CannotListen as error:
                why = str(error)
            else:
                if (claim := lock(DEMO / f"{one}.lock")) is not None:
                    return one, claim
                why = f"Another demo begins on port {one}: name another port with --port."
    except (OSError, sqlite3.OperationalError) as error:
        sys.exit(
            f"The demo's database cannot be kept in {DEMO} ({error}): copy the project to a folder"
            " that you can write, with room on its disk."
        )
    if wanted is None:
        why = f"No port from {PORTS[0]} to {PORTS[-1]} is free: name another with --port."
    sys.exit(why)


def _use_own_database(port: int) -> None:
    """A new database for this port; the real one, and those of other ports, are left alone."""
    for old in DEMO.glob(f"{port}.sqlite3*"):
        old.unlink()
    os.environ["DATABASE_URL"] = f"sqlite:///{DEMO / f'{port}.sqlite3'}"
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(50)
    os.environ["DJANGO_SETTINGS_MODULE"] = "gm_project.demo.site.settings"
    os.environ["API_SCHEMA"] = "on"
    for name in ("ALLOWED_HOSTS", "SECURE_PROXY_SSL_HEADER", "DEBUG"):
        os.environ.pop(name, None)


def _count() -> str:
    """Have calls counted, where that can be; a line that says where the metrics are, or ""."""
    if find_spec("prometheus_client") is None:
        return ""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ["METRICS_PORT"] = port
    return f"Metrics: http://127.0.0.1:{port}/metrics\n\n"


@contextlib.contextmanager
def _server(port: int, noted: Noted) -> Iterator["subprocess.Popen[bytes]"]:
    """The real server, once it answers; it is ended afterwards."""
    from gm_project.serving.server import command

    server = start(command("127.0.0.1", port), stdout=subprocess.DEVNULL)
    try:
        _wait_until_up(server, port, noted)
        yield server
    finally:
        end(server)


def _wait_until_up(server: "subprocess.Popen[bytes]", port: int, noted: Noted) -> None:
    """SystemExit: a signal was noted, or the server does not come up."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        noted.exit()
        if server.poll() is not None:
            sys.exit("The server ended at once; its own message stands above.")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(PAUSE)
    sys.exit("The server did not come up within 60 seconds: is the machine busy? Try again.")


def _call_all(port: int, data: "DemoData", noted: Noted) -> bool:
    """Make and show the calls; whether each was answered as expected. SystemExit: a signal was
    noted.
    """
    console.print(f"\n[bold]Real calls to http://127.0.0.1:{port}[/bold]\n")
    nonce = ""
    passed = True
    for number, step in enumerate(data.steps, 1):
        noted.exit()
        body = step.body(nonce)
        status, answer = _post(port, data.path, data.api_token, body)
        nonce = answer.get("dpopNonce", nonce)
        good = (status, answer.get("action"), answer.get("resultCode")) == (200, *step.expected)
        passed &= good
        mark = "[green]✓[/green]" if good else "[red]✗[/red]"
        console.print(f"{mark} [bold]{number}. {step.title}[/bold]")
        _show(f"→ POST {data.path}", body, "dim")
        _show(f"← {status}", answer, "")
        console.print()
    console.print(_VERDICT[passed])
    return passed


def _show_webhook(receiver: Receiver, data: "DemoData", noted: Noted) -> bool:
    """Show the webhook that tells of the revoke; whether it came, signed. SystemExit: a signal was
    noted.
    """
    until = time.monotonic() + ARRIVES_WITHIN
    while (came := receiver.next(PAUSE)) is None and time.monotonic() < until:
        noted.exit()
    if came is None:
        console.print("[red]✗[/red] [bold]No webhook arrived.[/bold]\n")
        return False
    told = json.loads(came.body)
    good = told["type"] == "grant.revoked" and came.is_signed_with(data.webhook_secret)
    mark = "[green]✓[/green]" if good else "[red]✗[/red]"
    console.print(f"\n{mark} [bold]The revoke arrives at a webhook, whose signature fits[/bold]")
    sent = {name: one for name, one in came.headers.items() if name.startswith("webhook-")}
    _show(f"→ POST {receiver.url}", sent | {"type": told["type"]} | told["data"], "dim")
    _show("← 204", {}, "")
    console.print()
    return good


def _post(
    port: int, path: str, api_token: str, body: dict[str, object]
) -> tuple[int, dict[str, str]]:
    """The status and the members of the answer. SystemExit: there is none."""
    headers = {"Authorization": f"Bearer {api_token}", "Content-Type": "application/json"}
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        with contextlib.closing(made) as connection:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer: dict[str, str] = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        sys.exit(f"The server did not answer ({error}): its own message stands above.")
    return response.status, answer


def _show(line: str, members: "dict[str, object] | dict[str, str]", style: str) -> None:
    """Print a message, one member a line. Long values that help no reader are cut off."""
    console.print(f"  {line}", style=style, markup=False)
    for name, value in members.items():
        shown = f"{value[:24]}…" if isinstance(value, str) and name in _LONG else value
        text = f"      {name}: {shown}".rstrip().replace("\n", " ")
        console.print(text, style=style, markup=False, soft_wrap=True)


_VERDICT = {
    True: "[green]Every call was answered as it should.[/green]",
    False: "[red]Not every call was answered as it should.[/red]",
}
_LONG = ("accessToken", "dpop", "clientCertificate", "dpopNonce")


def _farewell(port: int, data: "DemoData", metrics: str) -> str:
    """What the demo says last. Its last line is for a shell, so documents can point to it."""
    base, query = f"http://127.0.0.1:{port}", "QUERY"
    asked = data.curl_body(query)
    curl = (
        f"curl -s {base}{data.path} \\\n"
        f"  -H 'Authorization: Bearer {data.api_token}' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(asked)}'"
    )
    revoke = curl.replace(f'"{query}"', '"REVOKE"')
    values = {
        "BASE_URL": base,
        "API_TOKEN": data.api_token,
        "SERVICE_ID": data.path.split("/")[2],
        "GRANT_ID": asked["grantId"],
        "ACCESS_TOKEN": asked["accessToken"],
    }
    exported = " ".join(f"{name}={value}" for name, value in values.items())
    return (
        f"It is running. Stop it with Ctrl+C.\n\n"
        f"Admin: {base}/admin/   user: {data.username}   password: {data.password}\n\n"
        f"Connected apps: {base}/account/apps/   user: {data.person}   password: {data.password}"
        "\n\n"
        f"OpenAPI: {base}/api/schema   to read and try: {base}/api/schema/page\n\n"
        f"{metrics}"
        f"Query a grant:\n\n{curl}\n\nRevoke it:\n\n{revoke}\n\n"
        f"The same values for an SDK:\n\nexport {exported}"
    )
