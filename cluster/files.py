"""The configuration files of a cluster, filled in from those of `deploy/cluster/`."""

from pathlib import Path
from string import Template
from typing import Final

from chaos.processes import ROOT

from .layout import LOOPBACK, Layout, Member
from .network import NETWORK
from .programs import give_away, postgresql

TEMPLATES: Final = ROOT / "deploy" / "cluster"


def write_all(layout: Layout) -> None:
    """Write each file where its program finds it."""
    common = _common(layout)
    for name in ("etcd.yaml", "haproxy.cfg", "pgbouncer.ini", "userlist.txt"):
        _write(layout.path / name, common)
    for member in layout.members:
        folder = layout.path / member.name
        _folder(folder)
        _write(folder / "patroni.yaml", common | _of_member(layout, member))


def filled(name: str, values: dict[str, str]) -> str:
    """The text of a template. KeyError: it has a variable that is not in `values`."""
    return Template((TEMPLATES / name).read_text()).substitute(values)


def _write(path: Path, values: dict[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text(filled(path.name, values))
    give_away(path)


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700)
    give_away(path)


def _common(layout: Layout) -> dict[str, str]:
    ports = {name.upper(): str(port) for name, port in layout.ports.items()}
    etcd = f"{layout.host}:{layout.ports['etcd']}"
    values = {
        "NODE": "etcd1",
        "NODE_HOST": layout.host,
        "ETCD_DATA": str(layout.path / "etcd"),
        "ETCD_PORT": ports["ETCD"],
        "ETCD_PEER_PORT": ports["ETCD_PEER"],
        "ETCD_MEMBERS": f"etcd1=http://{layout.host}:{ports['ETCD_PEER']}",
        "ETCD_HOSTS": etcd,
        "PRIMARY_ADDRESS": f"{LOOPBACK}:{ports['PRIMARY']}",
        "STANDBYS_ADDRESS": f"{LOOPBACK}:{ports['STANDBYS']}",
        "PRIMARY_HOST": LOOPBACK,
        "PRIMARY_PORT": ports["PRIMARY"],
        "PGBOUNCER_PORT": ports["PGBOUNCER"],
        "PGBOUNCER_LOG": "",
        "PGBOUNCER_PID_FILE": "",
        "USER_LIST": str(layout.path / "userlist.txt"),
        "NETWORK": NETWORK if layout.apart else f"{LOOPBACK}/32",
        "WATCHDOG": "off",
        **{f"{name.upper()}_PASSWORD": value for name, value in layout.passwords.items()},
    }
    for number, member in enumerate(layout.members, 1):
        values[f"NODE{number}_HOST"] = member.host
        values[f"NODE{number}_POSTGRESQL"] = member.address
        values[f"NODE{number}_API_PORT"] = str(member.api_port)
    return values


def _of_member(layout: Layout, member: Member) -> dict[str, str]:
    folder = layout.path / member.name
    return {
        "NODE": member.name,
        "NODE_HOST": member.host,
        "API_PORT": str(member.api_port),
        "POSTGRESQL_PORT": str(member.port),
        "POSTGRESQL_DATA": str(layout.data(member)),
        "POSTGRESQL_PROGRAMS": str(postgresql()),
        "PASSWORD_FILE": str(folder / "pgpass"),
        "SOCKET_FOLDER": "",
    }
