"""One server with two databases, each with a service of its own: migrated, filled and called."""

import json
import sqlite3

from ..standalone import RECORDS, SERVER, free_port, manage, post, running, wait_for

APART = 2002


def records_of(service, number):
    """The small world as another organization's."""
    text = json.dumps(RECORDS).replace("1001", str(service)).replace("api-token", f"other-{number}")
    records = json.loads(text)
    records[0]["id"] = records[1]["organization"] = number
    return records


def test_two_services_of_one_server(tmp_path):
    first, apart = tmp_path / "first.sqlite3", tmp_path / "apart.sqlite3"
    env = {
        "DATABASE_URL": f"sqlite:///{first}",
        "DATABASE_URL_EU": f"sqlite:///{apart}",
        "SERVICE_DATABASES": f"{APART}=eu",
        "SECRET_KEY": "k" * 50,
    }
    port = free_port()
    with running(*SERVER, "127.0.0.1", port, 1, "--migrate", **env):
        wait_for(port)
        for number, service in enumerate((1001, APART), 1):
            file = tmp_path / f"{service}.jsonl"
            file.write_text("\n".join(map(json.dumps, records_of(service, number))))
            manage("import_grants", file, "--service", service, **env)
        for number, service in enumerate((1001, APART), 1):
            call = {"gmAction": "REVOKE", "grantId": "g-1", "accessToken": "t-1"}
            path, token = f"/api/{service}/auth/gm", f"other-{number}-of-a-test"
            assert post(port, path, token, call)[1]["action"] == "NO_CONTENT"
    assert owners(first) == {1001}
    assert owners(apart) == {APART}


def owners(path):
    """The services that grants, tokens and events in a file are of."""
    tables = ("grant", "accesstoken", "grantevent")
    with sqlite3.connect(path) as file:
        return {
            number
            for table in tables
            for (number,) in file.execute(f"SELECT service_id FROM grant_management_{table}")
        }
