"""The Containerfile and the compose file: their properties, and that what they run runs."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest

from ..standalone import PATH, ROOT, environment, free_port, manage, post, running, wait_for

yaml = pytest.importorskip("yaml")

FOLDER = ROOT / "deploy"
TEXT = (FOLDER / "Containerfile").read_text()
INSTRUCTIONS = [
    (name, rest)
    for name, _, rest in (line.partition(" ") for line in TEXT.splitlines())
    if name.isupper()
]
PYTHON = ".venv/bin/python"
SECRETS = ("POSTGRES_PASSWORD", "SECRET_KEY", "ALLOWED_HOSTS")


@pytest.fixture(scope="module", autouse=True)
def once(request):
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'own.sqlite3'}"


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def of(name):
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def commands():
    """Those of RUN, CMD and HEALTHCHECK: lists, so that no shell has a say."""
    return [
        json.loads(rest[rest.index("[") :]) for rest in of("RUN") + of("CMD") + of("HEALTHCHECK")
    ]


def arguments(command):
    program, *rest = command
    assert program == PYTHON
    return rest


def test_every_instruction_is_known():
    known = {
        "FROM",
        "WORKDIR",
        "RUN",
        "COPY",
        "ENV",
        "USER",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "CMD",
    }
    assert {name for name, _ in INSTRUCTIONS} == known
    assert all(
        line.startswith("#") or not line or line.split()[0] in known for line in TEXT.splitlines()
    )


def test_base_images_are_plain_names(compose):
    """No registry, no path."""
    images = [image.split()[0] for image in of("FROM")]
    images += [one["image"] for one in compose["services"].values()]
    assert images
    assert all(re.fullmatch(r"[a-z-]+(:[0-9.a-z-]+)?", image) for image in images), images


def test_the_user_is_not_root(compose):
    assert INSTRUCTIONS.index(("USER", "10001:10001")) < INSTRUCTIONS.index(("CMD", of("CMD")[0]))
    assert all(one["user"] not in ("root", "0", "0:0") for one in compose["services"].values())


def test_what_is_copied_exists_and_is_not_ignored():
    ignored = (FOLDER / "Containerfile.dockerignore").read_text().splitlines()
    names = []
    for rest in of("COPY"):
        if not rest.startswith("--from="):
            names += rest.split()[:-1]
    assert len(names) == 6
    for name in names:
        assert (ROOT / name).exists(), name
        assert f"!{name.removeprefix('./')}" in ignored, name
    assert ignored[1] == "*"


def test_all_that_the_project_needs_is_copied(tmp_path, url):
    """A folder with these files alone migrates and serves."""
    for rest in of("COPY"):
        for name in [] if rest.startswith("--from=") else rest.split()[:-1]:
            (tmp_path / name).symlink_to(ROOT / name)
    program = "import sys; sys.path.insert(0, '.'); import gm_project.wsgi"
    env = environment(DATABASE_URL=url, PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1")
    for line in (["manage.py", "migrate", "-v", "0"], ["-c", program]):
        subprocess.run([sys.executable, *line], cwd=tmp_path, env=env, check=True)


def test_packages_are_those_of_the_lock():
    (installs,) = [line for line in commands() if "pip" in line]
    assert {"--require-hashes", "--no-deps"} <= {*installs}
    assert installs[installs.index("-r") + 1] == "requirements.lock"
    assert not re.search(r"https?://(?!127\.0\.0\.1)|index-url|find-links|ADD ", TEXT)


def test_what_the_build_runs(tmp_path):
    """A virtual environment, and bytecode; the lock itself is installed by run.py all the time."""
    program, *line = commands()[0]
    assert program == "python"
    subprocess.run([sys.executable, *line, "--without-pip"], cwd=tmp_path, check=True)
    assert os.access(tmp_path / PYTHON, os.X_OK)
    for name in ("grant_management", "gm_project"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.py").write_text("")
    (compiles,) = [line for line in commands() if "compileall" in line]
    subprocess.run([sys.executable, *arguments(compiles)], cwd=tmp_path, check=True)
    assert len(list(tmp_path.glob("*/__pycache__/*.pyc"))) == 2


def test_what_the_image_runs(url):
    """On a port of the test; and on 0.0.0.0, as there."""
    port = free_port()
    line = [str(port) if word == "8000" else word for word in arguments(json.loads(of("CMD")[0]))]
    assert str(port) in line
    with running(*line, DATABASE_URL=url, SECRET_KEY="k"):
        wait_for(port)
        assert post(port, PATH, "", {})[1]["resultCode"] == "A001203"


def test_what_compose_runs_first(compose, url):
    """The migration; the server then runs by the image's own command."""
    assert "command" not in compose["services"]["server"]
    program, *rest = arguments(compose["services"]["migrate"]["command"])
    assert program == "manage.py"
    manage(*rest, DATABASE_URL=url)


def checks_of_health(compose):
    yield "/livez", commands()[-1]
    test = compose["services"]["server"]["healthcheck"]["test"]
    assert test[0] == "CMD"
    yield "/readyz", test[1:]


def test_health_is_asked_where_it_is_told(compose, url):
    """It passes where the path is answered with 200, and fails where nobody answers."""
    port = free_port()
    line = ("-m", "gm_project.serving", "127.0.0.1", port, 1, "tests.deploy.echo:application")
    for path, command in checks_of_health(compose):
        assert f"http://127.0.0.1:8000{path}'" in command[-1]
        asks = [word.replace(":8000/", f":{port}/") for word in arguments(command)]
        with running(*line, DATABASE_URL=url) as server:
            wait_for(port)
            assert subprocess.run([sys.executable, *asks], env=environment()).returncode == 0
            server.terminate()
            server.wait(timeout=30)
        failed = subprocess.run([sys.executable, *asks], env=environment(), capture_output=True)
        assert failed.returncode != 0


@pytest.mark.parametrize("name", ["database", "migrate", "server"])
def test_services_are_closed(compose, name):
    one = compose["services"][name]
    assert one["read_only"] is True
    assert "/tmp" in one["tmpfs"]
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one.keys().isdisjoint({"privileged", "network_mode", "cap_add", "pid", "devices"})


def test_services_are_started_in_order_and_again(compose):
    services = compose["services"]
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    completed = {"migrate": {"condition": "service_completed_successfully"}}
    assert services["server"]["depends_on"] == completed
    assert services["server"]["restart"] == services["database"]["restart"] == "unless-stopped"


def test_only_this_machine_reaches_the_server(compose):
    ports = [port for one in compose["services"].values() for port in one.get("ports", [])]
    assert ports == ["127.0.0.1:8000:8000"]
    (network,) = compose["networks"]["inner"]["ipam"]["config"]
    settings = json.loads(compose["services"]["server"]["environment"]["GRANT_MANAGEMENT"])
    assert settings["TRUSTED_PROXIES"] == [network["gateway"]]


def test_no_secret_is_in_the_file(compose):
    """They come from the environment, and without one of them nothing starts."""
    values = [
        str(value)
        for one in compose["services"].values()
        for value in one.get("environment", {}).values()
    ]
    for name in SECRETS:
        assert any(f"${{{name}:?" in value for value in values)
    assert all(":?" in value for value in values if "PASSWORD" in value or "://" in value)
    tracked = subprocess.run(
        ["git", "check-ignore", "deploy/.env"], cwd=ROOT, capture_output=True, text=True
    )
    assert tracked.stdout.strip() == "deploy/.env"


def test_the_environment_is_what_the_settings_take(compose, url):
    """Each variable is read, and the checks of the app find no fault."""
    given = dict(compose["services"]["server"]["environment"])
    source = (ROOT / "gm_project" / "settings.py").read_text()
    assert all(f'"{name}"' in source for name in given)
    values = {name: re.sub(r"\$\{\w+:\?[^}]*\}", "x" * 60, value) for name, value in given.items()}
    assert "no issues" in manage("check", **values | {"DATABASE_URL": url})


def test_shell_lines_of_the_comments_name_what_exists():
    for path in (FOLDER / "Containerfile", FOLDER / "compose.yaml"):
        (line,) = re.findall(r"^#   (docker .*)$", path.read_text(), re.M)
        words = shlex.split(line)
        assert (ROOT / words[words.index("-f") + 1]) == path
