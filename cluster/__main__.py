"""`run.py cluster`: a cluster on loopback, run by an ordinary user, to break on purpose.

It stays up until `down`. Its files, logs and passwords are in `.cluster`. Where root starts it,
each node has a network namespace of its own, which `cut` needs, and its processes run as `nobody`.
"""

import argparse
import shutil
import sys

from . import network
from .cluster import Cluster
from .layout import ENVIRONMENT, FILE, FOLDER, LOOPBACK, Layout
from .node import Node


def main() -> int:
    """Run the command of the command line. The exit code."""
    options = _options()
    try:
        if options.command is up:
            return up()
        layout = Layout.load(FOLDER)
        if layout is None:
            raise RuntimeError("No cluster is up: run.py cluster up")
        options.command(Cluster(layout), options)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def up() -> int:
    """Start the cluster."""
    if Layout.load(FOLDER) is not None:
        raise RuntimeError("A cluster is up already: run.py cluster status")
    shutil.rmtree(FOLDER, ignore_errors=True)  # of one that did not come up: only its logs
    FOLDER.mkdir(mode=0o711)
    cluster = Cluster(Layout.new(FOLDER, apart=not network.why_not()))
    try:
        cluster.start()
        cluster.start_servers("pgbouncer")
    except BaseException:
        cluster.end()
        (FOLDER / FILE).unlink(missing_ok=True)
        raise
    status(cluster, argparse.Namespace())
    return 0


def down(cluster: Cluster, _options: argparse.Namespace) -> None:
    """End it, and delete its files."""
    cluster.end()
    shutil.rmtree(FOLDER)


def status(cluster: Cluster, _options: argparse.Namespace) -> None:
    """Show what runs, and where."""
    layout = cluster.layout
    for node in cluster.nodes:
        told = node.status()
        words = [node.member.name, node.member.address, told.get("role", "no answer")]
        print(*words, told.get("state", ""))
    for daemon in (cluster.etcd, cluster.haproxy, cluster.pgbouncer):
        print(daemon.name, "runs" if daemon.pid else "has ended")
    for server in layout.servers:
        print(f"server http://{LOOPBACK}:{server}/")
    print("DATABASE_URL is in", layout.path / ENVIRONMENT)


def kill(cluster: Cluster, options: argparse.Namespace) -> None:
    """SIGKILL for PostgreSQL of a node; with --node for its Patroni too."""
    node = _chosen(cluster, options)
    if options.node:
        node.kill()
    else:
        node.kill_postgresql()
    print(node.member.name)


def freeze(cluster: Cluster, options: argparse.Namespace) -> None:
    """Freeze Patroni of a node; PostgreSQL goes on."""
    node = _chosen(cluster, options)
    node.freeze()
    print(node.member.name)


def cut(cluster: Cluster, options: argparse.Namespace) -> None:
    """Drop every packet from and to a node. It takes root."""
    if not cluster.layout.apart:
        raise RuntimeError(f"cut is not possible here: {network.why_not()}")
    node = _chosen(cluster, options)
    network.cut(node.member.name)
    print(node.member.name)


def switchover(cluster: Cluster, _options: argparse.Namespace) -> None:
    """Make another node the primary."""
    cluster.switch_over()


def heal(cluster: Cluster, _options: argparse.Namespace) -> None:
    """Take back kill, freeze and cut: each node runs, and is reached."""
    for node in cluster.nodes:
        node.thaw()
        if cluster.layout.apart:
            network.mend(node.member.name)
        if node.patroni.pid is None:
            node.start()


def _chosen(cluster: Cluster, options: argparse.Namespace) -> Node:
    """The node that was named, or the primary."""
    named = [node for node in cluster.nodes if node.member.name == options.name]
    return named[0] if named else cluster.primary()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py cluster", description=__doc__)
    added = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (up, down, status, kill, freeze, cut, switchover, heal):
        what = (command.__doc__ or "").strip()
        one = added.add_parser(command.__name__, help=what, description=what)
        one.set_defaults(command=command)
        if command in (kill, freeze, cut):
            names = [f"node{number}" for number in (1, 2, 3)]
            one.add_argument("name", nargs="?", choices=names, help="default: the primary")
        if command is kill:
            one.add_argument("--node", action="store_true", help="its Patroni too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
