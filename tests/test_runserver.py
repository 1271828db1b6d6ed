"""Django's development server, with the settings of README: what it writes of a request."""

import re
import subprocess
import sys
from http.client import HTTPConnection

import pytest

from .standalone import ROOT, environment, free_port, until, wait_for

SECRET = "SecretOfAClient0123456789"
APPENDED = re.compile(r"<!-- append: mysite/(\w+\.py) -->\n```python\n(.*?)\n```", re.DOTALL)
FILES = ["settings.py", "urls.py"]
LAST = '"GET /elsewhere?q=1 HTTP/1.1" 404'


@pytest.fixture(scope="module")
def mysite(tmp_path_factory):
    """A new project with what README appends to its files, and a database."""
    folder = tmp_path_factory.mktemp("mysite")
    run(folder, "-m", "django", "startproject", "mysite", ".")
    section = (ROOT / "README.md").read_text().partition("## Add it to a Django project")[2]
    appended = APPENDED.findall(section.partition("\n## ")[0])
    assert [name for name, _ in appended] == FILES
    for name, text in appended:
        with (folder / "mysite" / name).open("a") as file:
            file.write(f"\n{text}\n")
    run(folder, "manage.py", "migrate", "-v0")
    return folder


def of(folder):
    return {"cwd": folder, "env": environment(PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1")}


def run(folder, *line):
    subprocess.run([sys.executable, "-W", "ignore", *line], check=True, **of(folder))


def send(port, *requests):
    """Send these lines, each as a request of its own."""
    for method, path in requests:
        there = HTTPConnection("127.0.0.1", port, timeout=60)
        there._validate_method = there._validate_path = lambda text: None
        there.request(method, path)
        there.getresponse().read()
        there.close()


def test_no_path_of_the_app_is_written(mysite):
    port, log = free_port(), mysite / "log"
    line = [sys.executable, "-W", "ignore", "manage.py", "runserver", "--noreload", str(port)]
    with log.open("w") as stderr:
        server = subprocess.Popen(line, stderr=stderr, stdout=subprocess.DEVNULL, **of(mysite))
    try:
        wait_for(port)
        send(
            port,
            ("DELETE", f"/api/1/auth/token/delete/{SECRET}"),
            ("DELETE", f"//api/1/auth%2Ftoken/delete/{SECRET}?token={SECRET}"),
            ("GET", f"/gm/1/{SECRET}"),
            ("GET", f"/api/1/auth/token/delete/{SECRET} {SECRET}"),
            ("GET", f"/admin/grant_management/grant/?q={SECRET}"),
            ("GET", "/elsewhere?q=1"),
        )
        until(lambda: LAST in log.read_text(), "the last line, which is written after the answer")
    finally:
        server.terminate()
        server.wait(60)
    written = log.read_text()
    assert SECRET not in written
    assert "DELETE DeleteView: 401" in written
    assert LAST in written
