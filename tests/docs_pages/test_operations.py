"""Operations (how-to/operations.md), from an empty machine to an upgrade, and the commands of root of
how-to/proxies.md: as they are, by systemd.
"""

import re
import secrets
import sys

import pytest

from ..standalone import ROOT
from .conftest import pip_of, run
from .machine import Machine, missing
from .page import Block, blocks
from .reader import Reader

BLOCKS = [block for block in blocks("how-to/operations.md") if block.runs]
PROXIES = [block for block in blocks("how-to/proxies.md") if block.is_shell]
NEEDED = {
    package
    for block in BLOCKS + PROXIES
    for line in re.findall(r"--no-install-recommends (.*)", block.text)
    for package in line.split()
}


def block_with(text, among=BLOCKS):
    return next(block for block in among if text in block.text)


CALL, ON_SQLITE = block_with("/auth/gm"), block_with(".sqlite3")
TO_SQLITE = r"""
sed -i 's|^DATABASE_URL=.*|DATABASE_URL=sqlite:////var/lib/grant-management/db.sqlite3|' /etc/grant-management/environment
gm-manage migrate --verbosity 0
gm-manage create_organization "Example Bank" --id 1
gm-manage create_service --organization 1 --name Retail --id 1001 --grant-management-endpoint "https://$NAME/gm/1001"
gm-manage issue_api_token --service 1001"""
BACK_UP = "systemctl start grant-management-backup\nsystemctl stop grant-management"
START = "systemctl start grant-management"
TOKEN = r"""
call() { curl -s "http://127.0.0.1:8000/api/1001/$1" -H "Host: $NAME" -H "X-Forwarded-Proto: https" -H "Authorization: Bearer $API_TOKEN" -H "Content-Type: application/json" -d "$2"; }
member() { python3 -c "import json, sys; said = sys.stdin.read(); print(json.loads(said).get('$1') or sys.exit(said))"; }
CLIENT=$(call clients '{"clientIdentifier":"app-1","name":"App"}' | member clientId)
GRANT=$(call grants "{\"clientId\":$CLIENT,\"subject\":\"ann\",\"scopes\":[{\"scope\":\"contacts\"}]}" | member grantId)
TOKEN=$(call auth/token/create "{\"grantType\":\"AUTHORIZATION_CODE\",\"clientId\":$CLIENT,\"subject\":\"ann\",\"scopes\":[\"grant_management_query\"],\"certificateThumbprint\":\"$(cat thumbprint.txt)\",\"properties\":[{\"key\":\"grant_id\",\"value\":\"$GRANT\"}]}" | member accessToken)"""
PUBLIC_NAME = """
echo "127.0.0.1 $NAME" >> /etc/hosts
cd /opt/grant-management
cp /etc/ssl/grant-management/*.pem .
export CURL_CA_BUNDLE=$PWD/fullchain.pem"""
TO_HAPROXY = "systemctl stop nginx\nsystemctl start haproxy"
PACKAGES, REPOSITORY = "/srv/packages", "/srv/repository"
pytestmark = [
    pytest.mark.skipif("not config.getoption('--slow')", reason="takes minutes: --slow"),
    pytest.mark.timeout(3600),  # ten of them were too few on a busy machine
]


@pytest.fixture
def locked(once):
    """What requirements.lock names, for the Python of Debian."""
    version = run("/usr/bin/python3", "--version").split()[1]

    def fill(folder):
        get = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
        get += ["--python-version", version, "--only-binary", ":all:", "--dest", folder]
        run(*get, "--require-hashes", "--no-deps", "-r", ROOT / "requirements.lock")

    return once("locked", fill)


@pytest.fixture
def machine(request, tmp_path):
    """One that has Debian's packages of the page, and nothing of ours."""
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")
    if reason := missing(sorted(NEEDED)):
        pytest.skip(reason)
    shared = {
        PACKAGES: request.getfixturevalue("locked"),
        REPOSITORY: request.getfixturevalue("repository"),
    }
    with Machine(tmp_path / "machine", shared) as made:
        yield made


class Operator(Reader):
    """Remembers the API token that a command showed, and pastes it where the page says so."""

    token = ""

    def take(self, block):
        super().take(block)
        if "issue_api_token" in block.text:
            self.token = self.said.split()[-1]

    def type(self, text):
        self.take(Block(CALL.page, 0, "sh", text.strip(), ""))

    def check_call(self):
        """The API token is good, and there is no such access token."""
        self.take(CALL)
        assert "A279306" in self.said

    def check_certificate(self):
        """The token works with its certificate alone."""
        self.take(block_with("--cert client.pem", PROXIES))
        assert re.search(r'"scope":\s?"contacts".*"invalid_token"', self.said, re.DOTALL)


@pytest.fixture
def operator(machine, repository, tmp_path):
    branch = run("git", "rev-parse", "--abbrev-ref", "HEAD", cwd=repository).strip()
    password = secrets.token_urlsafe(12)
    silent = "gm-manage createsuperuser --noinput --username ann --email ann@example.com"
    replaced = {
        "https://django-grant-management.example/repository": REPOSITORY,
        "gm-manage createsuperuser": silent,
    }
    given = {"VERSION": f"origin/{branch}", "DJANGO_SUPERUSER_PASSWORD": password}
    typed = {"API_TOKEN": lambda reader: reader.token}
    with Operator(
        tmp_path, machine=machine, replaced=replaced, typed=typed, **given, **pip_of(PACKAGES)
    ) as made:
        yield made


def test_operations(operator):
    """What is answered once it runs is answered after each restore, after the upgrade, and by
    either proxy.
    """
    for block in BLOCKS:
        if block is CALL:
            operator.check_call()
        elif block is not ON_SQLITE:
            operator.take(block)
    operator.check_call()
    operator.type(TO_SQLITE)
    operator.type(BACK_UP)
    operator.take(ON_SQLITE)
    operator.type(START)
    operator.check_call()
    operator.type(PUBLIC_NAME)
    operator.take(block_with("nginx", PROXIES))
    operator.take(block_with("client.key -out", PROXIES))
    operator.type(TOKEN)
    operator.check_certificate()
    operator.type(TO_HAPROXY)
    operator.take(block_with("haproxy", PROXIES))
    operator.check_certificate()
