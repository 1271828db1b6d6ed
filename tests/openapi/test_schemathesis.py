"""Schemathesis calls every operation of a real server: every answer is in the document, none is 5xx.

Every operation is taken at least once: one that always refuses would test nothing else.
"""

import json
import re
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from grant_management.contrib.openapi.document import document

from ..standalone import ROOT, environment, serving
from .filled import ALL_RIGHTS, DRAFT, OF_ONE, PATHS
from .judging import operations_at
from .written import PAGE

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
METHODS = ("get", "post", "put", "patch", "delete")
TAKEN = 0.1
"""The mean share of answers of an operation that are 2xx: most calls are wrong on purpose."""
LAST = "(update|delete)Service|.*OrganizationToken.*"
"""Behind the first two, little else of the service can be reached. The others name an API token of an
organization where the same operations of a service name one of a service.
"""
ENDS = "manageGrant|saveClient|updateWebhook|(revoke|delete).*"
"""They end what others name."""
ELSEWHERE = f"{ENDS}|{LAST}"


def name_of(operations):
    """Matches the whole of an operation's ID."""
    return f"^({operations})$"


RUNS = {
    "most": ("service", ["--exclude-operation-id-regex", name_of(ELSEWHERE)]),
    "ends": (
        "service",
        [
            *("--include-operation-id-regex", name_of(ENDS)),
            *("--exclude-operation-id-regex", name_of(LAST)),
        ],
    ),
    "last": ("organization", ["--include-operation-id-regex", name_of(LAST)]),
}


@pytest.fixture
def env(tmp_path):
    keys = json.dumps({"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]})
    return {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "GRANT_MANAGEMENT": keys}


def filled(env, kind):
    """Fill the database; what differs in each run."""
    line = [sys.executable, "-m", "tests.openapi.filled", kind]
    done = subprocess.run(line, cwd=ROOT, env=environment(**env), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def toml(table):
    return "".join(f"{json.dumps(name)} = {json.dumps(one)}\n" for name, one in table.items())


def configuration(made):
    """Who calls which operation, and what its parameters are."""
    bearers = {"^/gm/": DRAFT, "^/self/": made["person"]}
    text = f"[headers]\n{toml({'Authorization': f'Bearer {ALL_RIGHTS}'})}"
    text += f"[parameters]\n{toml(PATHS | {'path.digest': made['digest']})}"
    for path, token in bearers.items():
        authorization = toml({"Authorization": f"Bearer {token}"})
        text += f"[[operations]]\ninclude-path-regex = {json.dumps(path)}\n"
        text += f"[operations.headers]\n{authorization}"
    for operation, parameters in OF_ONE.items():
        text += f"[[operations]]\ninclude-operation-id = {json.dumps(operation)}\n"
        text += f"[operations.parameters]\n{toml(parameters)}"
    return text


def called(folder, port, made, *chosen, count=3):
    """A run of Schemathesis: by the ID of each operation, the statuses of its answers."""
    config, told = folder / "schemathesis.toml", folder / "told.har"
    config.write_text(configuration(made))
    line = [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", PAGE]
    line += ["--url", f"http://127.0.0.1:{port}", "--report", "har", "--report-har-path", told]
    line += ["--checks", ",".join(CHECKS), "--max-examples", str(count), "--seed", "1"]
    line += ["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--warnings", "off"]
    done = subprocess.run(
        [*map(str, line), *chosen], cwd=folder, capture_output=True, text=True, timeout=540
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
    assert "No issues found" in done.stdout or "passed" in done.stdout
    return statuses(told)


def statuses(told):
    """The statuses of a HAR, by the ID of the operation."""
    found = {}
    for entry in json.loads(told.read_text())["log"]["entries"]:
        path = re.sub(r"^https?://[^/]+|\?.*", "", entry["request"]["url"])
        name = operation_at(entry["request"]["method"], path)
        found.setdefault(name, []).append(entry["response"]["status"])
    return found


def operations(chosen):
    """The IDs of the operations of a run, by its options."""
    patterns = dict(zip(chosen[::2], chosen[1::2], strict=True))
    included = patterns.get("--include-operation-id-regex", "")
    excluded = patterns.get("--exclude-operation-id-regex", "^$")
    names = [one["operationId"] for item in document()["paths"].values() for one in calls_of(item)]
    return {one for one in names if re.search(included, one) and not re.search(excluded, one)}


def calls_of(item):
    return [one for name, one in item.items() if name in METHODS]


def operation_at(method, path):
    """Its ID; None: there is none of this method."""
    return operations_at(path).get(method.lower(), {}).get("operationId")


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("run", RUNS)
def test_every_answer_is_in_the_document(env, tmp_path, run, request):
    """With `--slow` up to 200 generated examples of each operation instead of 3."""
    kind, chosen = RUNS[run]
    count = 200 if request.config.getoption("--slow") else 3
    made = filled(env, kind)
    url = env.pop("DATABASE_URL")
    with serving(url, log=tmp_path / "log", **env) as port:
        found = called(tmp_path, port, made, *chosen, count=count)
    assert "Traceback" not in (tmp_path / "log").read_text()
    wanted = operations(chosen)
    assert wanted <= found.keys()
    share = {one: sum(200 <= s < 300 for s in found[one]) / len(found[one]) for one in wanted}
    never = sorted(one for one in wanted if not share[one])
    assert not never, {one: sorted(set(found[one])) for one in never}
    assert sum(share.values()) / len(share) > TAKEN


def test_each_operation_is_in_a_run():
    chosen = [operations(of) for _kind, of in RUNS.values()]
    assert sum(map(len, chosen)) == len(set().union(*chosen))
    every = {one["operationId"] for item in document()["paths"].values() for one in calls_of(item)}
    assert set().union(*chosen) == every


def test_an_answer_that_is_not_in_the_document_is_noticed(env, tmp_path, monkeypatch):
    """Of a document that says less than the server does."""
    less = tmp_path / "less.yaml"
    text = re.sub(r"(?m)^ +- A278204\n", "", PAGE.read_text())
    less.write_text(text)
    assert text != PAGE.read_text()
    monkeypatch.setattr(sys.modules[__name__], "PAGE", less)
    made = filled(env, "service")
    url = env.pop("DATABASE_URL")
    with serving(url, **env) as port, pytest.raises(AssertionError, match="A278204"):
        called(tmp_path, port, made, "--include-operation-id", "manageGrant")
