"""What is told to systemd, through a real socket."""

import os
import secrets
import socket

import pytest

from gm_project.serving import notify as module
from gm_project.serving.notify import notify, watchdog_interval


@pytest.fixture(params=["file", "abstract"])
def heard(request, tmp_path, monkeypatch):
    """The socket that systemd would listen on."""
    if request.param == "file":
        address = named = str(tmp_path / "notify")
    else:
        named = f"@gm-notify-{secrets.token_hex(8)}"
        address = f"\0{named[1:]}"
    monkeypatch.setenv("NOTIFY_SOCKET", named)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(10)
        yield listener


def test_each_message_arrives_whole(heard):
    assert notify("READY=1", "STATUS=two workers")
    assert notify("STOPPING=1")
    assert [heard.recv(1_000), heard.recv(1_000)] == [
        b"READY=1\nSTATUS=two workers",
        b"STOPPING=1",
    ]


def test_nobody_listens(heard, monkeypatch):
    heard.close()
    assert not notify("READY=1")
    for named in ("", "notify", "vsock:2:1234", "/" + "a" * 200, "@"):
        monkeypatch.setenv("NOTIFY_SOCKET", named)
        assert not notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    assert not notify("READY=1")


def test_a_listener_that_is_stuck_holds_nobody_up(heard, monkeypatch):
    """Its queue is full: the message is given up."""
    monkeypatch.setattr(module, "WAIT", 0.01)
    assert notify("WATCHDOG=1")
    assert not all(notify("WATCHDOG=1") for _ in range(10_000))


@pytest.mark.parametrize(
    ("microseconds", "process", "seconds"),
    [
        ("30000000", None, 15),
        ("30000000", "ours", 15),
        ("30000000", "1", None),
        ("0", None, None),
        ("", None, None),
        ("-1", None, None),
        ("²", None, None),
        (None, None, None),
    ],
)
def test_interval_of_the_watchdog(monkeypatch, microseconds, process, seconds):
    process = str(os.getpid()) if process == "ours" else process
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", process)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert watchdog_interval() == seconds
