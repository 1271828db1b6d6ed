#!/usr/bin/python3
"""Stands in for `systemctl` where no systemd runs: runs exactly what the units say.

It knows what the units of the cluster use: ExecStart, ExecReload, the user, the environment, the
working and the state folder, the signal that ends a service; and the folders below /run that
packages ask for. What a sandbox adds is left out, and what ended is not started again.
"""

import os
import pwd
import shlex
import shutil
import signal
import socket
import string
import subprocess
import sys
import time
from pathlib import Path

FOLDERS = ("/etc/systemd/system", "/lib/systemd/system")
RUNTIME = Path("/usr/lib/tmpfiles.d")
"""What folders below /run the packages need, as lines: `d PATH MODE USER GROUP`."""
RUN = Path("/run/services")
IGNORED = ("daemon-reload", "preset")
"""`preset`: packages ask what starts with the machine."""


def make_folders():
    """What systemd-tmpfiles makes when the machine starts."""
    for path in RUNTIME.glob("*.conf"):
        for line in path.read_text().splitlines():
            kind, *told = line.split() or [""]
            if kind == "d" and not Path(told[0]).exists():
                name, mode, user, group = told[:4]
                Path(name).mkdir(parents=True)
                shutil.chown(name, user, group)
                Path(name).chmod(int(mode, 8))


def settings(unit):
    """The lines of the unit and of what is added to it, by name; later ones come last."""
    found = {}
    paths = [Path(folder, f"{unit}.service") for folder in FOLDERS]
    (first, *_) = [path for path in paths if path.exists()]
    for path in (first, *sorted(Path(FOLDERS[0], f"{unit}.service.d").glob("*.conf"))):
        for line in path.read_text().splitlines():
            name, equals, value = line.partition("=")
            if equals and not name.startswith("#"):
                found.setdefault(name, []).append(value)
    return found


def environment(unit, told):
    """What Environment= and EnvironmentFile= say; `%p` is the name of the unit."""
    given = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    for line in told.get("Environment", []):
        given.update(one.split("=", 1) for one in shlex.split(line))
    for path in (one.replace("%p", unit) for one in told.get("EnvironmentFile", [])):
        if Path(path.lstrip("-")).exists() or not path.startswith("-"):
            lines = Path(path.lstrip("-")).read_text().splitlines()
            words = [shlex.split(line) for line in lines if "=" in line and line[0] not in "#;"]
            given.update(word[0].split("=", 1) for word in words)
    return given


def words(line, given):
    """A command line: `$NAME` alone is as many words as it has."""
    for word in shlex.split(line):
        if word.startswith("$") and word[1:].isidentifier():
            yield from given.get(word[1:], "").split()
        else:
            yield string.Template(word).safe_substitute(given)


def pid_of(unit):
    """The main process; None: it does not run."""
    try:
        pid = int((RUN / unit).read_text())
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else pid


def start(unit, waits=True):
    """Run ExecStart, as the unit's user. `waits`: until a unit of `Type=notify` says that it is up."""
    if pid_of(unit):
        return
    make_folders()
    told = settings(unit)
    given = environment(unit, told)
    user = told.get("User", ["root"])[-1]
    for name in told.get("StateDirectory", []):
        Path("/var/lib", name).mkdir(exist_ok=True)
        os.chown(Path("/var/lib", name), pwd.getpwnam(user).pw_uid, -1)
    given["HOME"] = pwd.getpwnam(user).pw_dir
    told_up = listen(unit, given) if waits and "notify" in told.get("Type", []) else None
    as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
    with Path(f"/var/log/{unit}.service.log").open("ab") as log:
        process = subprocess.Popen(
            [*as_user, *words(told["ExecStart"][-1], given)],
            cwd=told.get("WorkingDirectory", ["/"])[-1],
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    RUN.mkdir(exist_ok=True)
    (RUN / unit).write_text(str(process.pid))
    while told_up and b"READY=1" not in told_up.recv(4096):
        pass


def listen(unit, given):
    """The socket at which a service says that it is up (sd_notify)."""
    RUN.mkdir(exist_ok=True)
    path = RUN / f"{unit}.notify"
    path.unlink(missing_ok=True)
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(str(path))
    path.chmod(0o777)
    heard.settimeout(300)
    given["NOTIFY_SOCKET"] = str(path)
    return heard


def stop(unit):
    """Send the unit's signal, and wait."""
    pid = pid_of(unit)
    if pid is None:
        return
    os.kill(pid, signal.Signals[settings(unit).get("KillSignal", ["SIGTERM"])[-1]])
    until = time.monotonic() + 60
    while pid_of(unit) and time.monotonic() < until:
        time.sleep(0.05)
    assert not pid_of(unit), f"{unit} did not end"


def reload(unit):
    """Run each ExecReload."""
    told = settings(unit)
    given = environment(unit, told)
    for line in told["ExecReload"]:
        line = line.replace("$MAINPID", str(pid_of(unit)))
        subprocess.run(list(words(line, given)), check=True, env=given)


def restart(unit):
    """Stop, then start."""
    stop(unit)
    start(unit)


def main(arguments):
    """`systemctl COMMAND [OPTIONS] UNIT…`."""
    options = {one for one in arguments if one.startswith("-")}
    command, *units = [one for one in arguments if not one.startswith("-")]
    if command in IGNORED or (command == "enable" and "--now" not in options):
        return
    act = {"start": start, "enable": start, "stop": stop, "restart": restart, "reload": reload}
    for unit in units:
        name, waits = unit.removesuffix(".service"), "--no-block" not in options
        act[command](*([name] if command not in ("start", "enable") else [name, waits]))


if __name__ == "__main__":
    main(sys.argv[1:])
