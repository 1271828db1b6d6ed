"""`run.py` as somebody meets it who has just cloned the project: it says what to do, each time."""

import ast
import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from gm_project.launcher.explanation import explained

from ..standalone import ROOT, environment, free_port, running, until

pytestmark = pytest.mark.usefixtures("once")

OLD = ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10")
COMPILED = shutil.ignore_patterns("__pycache__")
MANAGE = "import sys; print('ran by', sys.version_info[:2], sys.prefix)"


def pythons(*versions):
    """Interpreters of these versions that this machine has."""
    found = []
    for version in versions:
        kept = [*map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
        found += kept or filter(None, [shutil.which(f"python{version}")])
    return found


def run(*arguments, python=sys.executable, cwd=ROOT, **env):
    """Exit code, and what was said; never a traceback."""
    done = subprocess.run(
        [python, "run.py", *map(str, arguments)],
        cwd=cwd,
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    said = done.stdout.decode()
    assert "Traceback" not in said
    return done.returncode, said


def test_without_arguments_it_says_what_it_can_do():
    code, said = run()
    assert code == 0
    for command in ("demo", "serve", "manage", "test", "check", "bench", "chaos"):
        assert re.search(rf"^    {command} +\w", said, re.MULTILINE)
    assert "python3 run.py demo" in said


@pytest.mark.parametrize("command", ["serve", "demo"])
@pytest.mark.parametrize("port", ["99999", "0", "-1", "x", "80.5", "٣", ""])
def test_a_bad_port(command, port):
    code, said = run(command, f"--port={port}")
    assert code == 2
    assert f"{port} is no port: name one from 1 to 65535" in said


@pytest.mark.parametrize("workers", ["-1", "257", "x", "1e3", "²", ""])
def test_a_bad_number_of_workers(workers):
    code, said = run("serve", f"--workers={workers}")
    assert code == 2
    assert f"{workers} is no number of workers: name one from 1 to 256" in said


@pytest.fixture
def taken():
    """A port at which another server listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_the_port_of_the_demo_is_taken(taken):
    """Its reader calls the port that was asked for: there must be no other one."""
    code, said = run("demo", "--port", taken)
    assert code == 1
    assert f"Port {taken} of 127.0.0.1 is in use" in said


def test_no_port_is_free_for_the_demo(taken):
    program = (
        "import sys; from gm_project.demo import program;"
        f" program.PORTS = range({taken}, {taken} + 1); sys.argv[1:] = []; program.main()"
    )
    line = [sys.executable, "-c", program]
    done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert f"No port from {taken} to {taken} is free: name another with --port." in done.stderr


def test_an_old_python_can_read_it():
    """It is written in what all of them share; the real ones are below, where a machine has them."""
    source = (ROOT / "run.py").read_text()
    for minor in range(4, 11):
        ast.parse(source, feature_version=(3, minor))
    assert not re.search(r"""\bf["']|:=|\basync\b|->""", source)


@pytest.mark.parametrize("python", pythons(*OLD))
def test_an_old_python_is_told(python):
    code, said = run("demo", python=python)
    assert code == 1
    assert re.fullmatch(
        r"Python 3\.11 or later is needed; this is \d[^;]*\. Install one, .+\n", said
    )


# Set-up, in a small checkout of its own


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose only command says which Python runs it."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "gm_project", folder / "gm_project", ignore=COMPILED)
    shutil.copy(ROOT / "run.py", folder)
    (folder / "manage.py").write_text(MANAGE)
    (folder / "requirements.lock").write_text("# nothing\n")
    return folder


def test_the_venv_follows_the_interpreter(checkout):
    other = next(iter(pythons("3.13", "3.12", "3.14")), None)
    if other is None:
        pytest.skip("needs another Python")
    for python in (sys.executable, other, other, sys.executable):
        code, said = run("manage", python=python, cwd=checkout)
        version = subprocess.run(
            [python, "-c", "import sys; print(sys.version_info[:2])"],
            capture_output=True,
            text=True,
        ).stdout.strip()
        assert (code, f"ran by {version} {checkout}" in said) == (0, True), said


@pytest.mark.parametrize("harm", ["no stamp", "no pip", "no python", "a file"])
def test_a_half_made_venv_is_made_anew(checkout, harm):
    assert run("manage", cwd=checkout)[0] == 0
    venv = checkout / ".venv"
    if harm == "no stamp":  # and a package of which only a part was copied
        (venv / ".requirements.lock").unlink()
        next(venv.glob("lib/*/site-packages/pip/_internal/commands/install.py")).unlink()
    if harm == "no pip":
        (checkout / "requirements.lock").write_text("# changed\n")
        shutil.rmtree(next(venv.glob("lib/*/site-packages/pip")))
    if harm == "no python":
        for python in venv.glob("bin/python*"):
            python.unlink()
    if harm == "a file":
        shutil.rmtree(venv)
        venv.mkdir()
        (venv / "bin").mkdir()
        (venv / "bin" / "python").write_text("half")
    code, said = run("manage", cwd=checkout)
    assert (code, "ran by" in said) == (0, True), said
    assert run("manage", cwd=checkout)[1].startswith("ran by")


def test_without_a_network_it_says_so_and_keeps_what_there_was(checkout):
    assert run("manage", cwd=checkout)[0] == 0
    digest = "0" * 64
    (checkout / "requirements-dev.lock").write_text(f"django==5.2.1 --hash=sha256:{digest}\n")
    gone = {"PIP_INDEX_URL": f"http://127.0.0.1:{free_port()}/", "PIP_RETRIES": "0"}
    code, said = run("test", cwd=checkout, **gone)
    assert code == 1
    assert "is the network reachable" in said.splitlines()[-1]
    code, said = run("manage", cwd=checkout, **gone)
    assert (code, said.startswith("ran by")) == (0, True), said


def wheel_of(folder, name, version, needs=""):
    """An empty package; the line of a lock that pins it."""
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: more\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", head + (f"Requires-Dist: {needs}\n" if needs else ""))
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_a_newer_release_of_a_package_changes_nothing(checkout, tmp_path):
    """Without `--no-deps`, pip 23 meets the newer one first, where an extra of it is needed."""
    locked = wheel_of(tmp_path, "first", "1", "second[more]>=1") + wheel_of(tmp_path, "second", "1")
    wheel_of(tmp_path, "second", "2")
    (checkout / "requirements.lock").write_text(locked)
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    code, said = run("manage", cwd=checkout, **index)
    assert (code, "ran by" in said) == (0, True), said
    assert [*checkout.glob(".venv/lib/*/site-packages/second-1.dist-info")]


NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"


def test_a_folder_that_cannot_be_written(checkout):
    """The venv module is not to blame."""
    nobody = {"user": 65534, "group": 65534} if os.getuid() == 0 else {}
    for python in (sys.executable, "/usr/bin/python3"):
        line = ["/usr/bin/env", python, "-c", NEW_ENOUGH]
        if subprocess.run(line, cwd="/", capture_output=True, **nobody).returncode == 0:
            break
    else:
        pytest.skip("another user can run no Python here")
    with tempfile.TemporaryDirectory() as parent:  # which others can reach
        Path(parent).chmod(0o755)
        folder = Path(shutil.move(checkout, parent))
        folder.chmod(0o555)
        for command in ("manage", "serve", "test"):
            done = subprocess.run(
                [python, "run.py", command],
                cwd=folder,
                env=environment(PYTHONDONTWRITEBYTECODE="1"),
                capture_output=True,
                text=True,
                **nobody,
            )
            assert done.returncode == 1
            assert "Traceback" not in done.stderr
            wanted = "set SECRET_KEY" if command == "serve" else "cannot be written by this user"
            assert wanted in done.stderr
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("x\nERROR: Could not install: [Errno 28] No space left on device", "The disk is full"),
        ("No usable temporary directory found in ['/tmp']", "The disk is full"),
        ("Error: [Errno 30] Read-only file system: '/x/.venv'", "cannot be written by this user"),
        ("unable to open database file", "cannot be written by this user"),
        ("ensurepip is not available", "apt-get install python3-venv"),
        ("/usr/bin/python3: No module named venv", "apt-get install python3-venv"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "its digest differs"),
        ("NewConnectionError(...)\nERROR: No matching distribution", "is the network reachable"),
        ("something else", "mend what is said here"),
        ("", "could not be set up"),
    ],
)
def test_what_is_advised(said, advice):
    told = explained(said)
    assert advice in told
    assert "\n" not in told


@pytest.mark.parametrize("command", ["bench", "chaos"])
def test_help_installs_nothing(checkout, command):
    package = {"bench": "benchmarks", "chaos": "chaos"}[command]
    for name in (package, "grant_management"):
        shutil.copytree(ROOT / name, checkout / name, dirs_exist_ok=True)
    code, said = run(command, "--help", cwd=checkout, python=bare_python())
    assert code == 0
    assert f"usage: run.py {command}" in said
    assert not (checkout / ".venv").exists()


def bare_python():
    """The interpreter itself, not that of the virtual environment, which has all packages."""
    return os.path.realpath(sys.executable)


# Ctrl+C


def ended(process, kind):
    """Interrupt it as a terminal does, or it alone; the exit code."""
    if kind == "group":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    return process.wait(timeout=120)


def marked(mark):
    """Processes that have this in their environment."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                yield entry.name


def started(line, cwd, mark, **env):
    return subprocess.Popen(
        [sys.executable, *map(str, line)],
        cwd=cwd,
        env=environment(**env, GM_MARK=mark),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@pytest.fixture(autouse=True)
def busy(request):
    """With `--slow` two programs take all the time of the processor that these tests run on."""
    if not request.config.getoption("--slow"):
        yield
        return
    one = {min(os.sched_getaffinity(0))}
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, one)
    try:
        with running("-c", "while True: pass"), running("-c", "while True: pass"):
            yield
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="it reads /proc")
@pytest.mark.parametrize("kind", ["group", "alone"])
class TestInterrupts:
    """Whatever was started has ended, nothing half made is left, and no traceback is shown."""

    def check(self, process, kind, mark, codes):
        code = ended(process, kind)
        said = process.communicate()[0].decode()
        assert "Traceback" not in said
        assert "KeyboardInterrupt" not in said
        assert code in codes, said
        assert list(marked(mark)) == []

    @pytest.mark.parametrize("step", ["venv", "pip"])
    def test_set_up(self, checkout, kind, step):
        mark = f"{kind}-{step}-{checkout}"
        with started(["run.py", "manage"], checkout, mark) as process:
            found = "bin/pip" if step == "pip" else "pyvenv.cfg"
            until(lambda: (checkout / ".venv" / found).exists(), step)
            self.check(process, kind, mark, {130})
        assert not list(checkout.glob(".secret_key*"))
        code, said = run("manage", cwd=checkout)
        assert (code, "ran by" in said) == (0, True), said

    @pytest.mark.parametrize("step", ["migrating", "serving"])
    def test_serve(self, kind, step, tmp_path):
        mark, port = f"{kind}-{step}-{tmp_path}", free_port()
        url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
        line = ["run.py", "serve", "--port", port, "--workers", 2]
        with started(line, ROOT, mark, DATABASE_URL=url) as process:
            if step == "migrating":
                until(lambda: (tmp_path / "own.sqlite3").exists(), step)
            else:
                assert process.stdout.readline().startswith(b"Serving")
                until(lambda: len(list(marked(mark))) == 3, "two workers")
            self.check(process, kind, mark, {130} if step == "migrating" else {0})

    @pytest.mark.parametrize("words", [b"Real calls", b"It is running"])
    def test_demo(self, kind, words, tmp_path):
        mark, port = f"{kind}-{words}-{tmp_path}", free_port()
        with started(["run.py", "demo", "--port", port], ROOT, mark) as process:
            for line in process.stdout:
                if words in line:
                    break
            self.check(process, kind, mark, {0, 130})


def test_a_server_that_ignores_its_signal_is_killed(tmp_path):
    """After a while; so is what it started."""
    program = """
import signal, subprocess, sys
from gm_project.serving import children
children.GRACE = 0.5
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
process = children.start([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
process.stdout.readline()
children.end(process)
print(process.returncode, file=sys.stderr, flush=True)
"""
    with running("-c", program) as process:
        assert process.stderr.readline() == "-9\n"
