"""What logs, metrics and spans cost a QUERY: `run.py bench observed`.

Each variant runs in a process without a server; the processes take turns, round by round. A ratio
is the median of the ratios of the rounds. Calls of functions do not depend on the machine's load.
"""

import cProfile
import io
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from . import targets
from .processes import ROOT, SERVER_CORE

ROUNDS = 60
CALLS = 100
"""QUERYs of a variant in a round."""
PROFILED = 50


def measure(database, url, postmaster, folder, stack, options):
    """For each variant: microseconds of CPU, the ratio to all off, and calls of functions."""
    targets.prepare(url, 1_000, "", toolkit=False)
    shared = folder / "metrics"
    shared.mkdir()
    collector = stack.enter_context(_collector())
    runs = {name: _Run(url, stack, **env) for name, env in _variants(shared, collector).items()}
    for run in runs.values():
        run.time(CALLS)  # fills caches
    rounds = [{name: run.time(CALLS) for name, run in runs.items()} for _ in range(ROUNDS)]
    found = {name: _summary(name, rounds) | {"calls": runs[name].calls()} for name in runs}
    for name, said in found.items():
        print(f"{name:24} {said['us']:7.1f} us {said['ratio']:6.3f} {said['calls']:7.1f} calls")
    return {"variants": found, "ratios": {}}


def _variants(shared, collector):
    """The environment of each."""
    lines = {"LOG_CALLS": "on", "LOG_FORMAT": "json"}
    metrics = {"METRICS_PORT": "1", "PROMETHEUS_MULTIPROC_DIR": str(shared)}
    spans = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}
    few = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
    return {
        "all off": {},
        "lines": lines,
        "metrics": metrics,
        "spans of 1 call in 100": spans | few,
        "spans": spans,
        "all on": lines | metrics | spans,
    }


def _summary(name, rounds):
    each = [one[name] for one in rounds]
    ratios = [one[name] / one["all off"] for one in rounds]
    return {"us": round(statistics.median(each), 1), "ratio": round(statistics.median(ratios), 3)}


class _Run:
    """A process of a variant, which waits for its turns."""

    def __init__(self, url, stack, **env):
        self._process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.observed"],
                cwd=ROOT,
                env={**os.environ, "DATABASE_URL": url, **env},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
            )
        )
        stack.callback(self._process.stdin.close)

    def time(self, calls):
        """Microseconds of CPU for each of these calls, with those of its threads meanwhile."""
        return self._ask(calls)

    def calls(self):
        """Calls of functions for each QUERY."""
        return self._ask(0)

    def _ask(self, number):
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def _collector():
    """The address of a collector that takes spans, and does nothing with them."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main():
    """Read a number of calls a line, and print what each took; 0: count calls of functions."""
    answer = _application()
    bodies = [targets.body_of(one).encode() for one in targets.bearer_queries(CALLS, 1_000)]
    for line in sys.stdin:
        number = int(line)
        said = _timed(answer, bodies, number) if number else _profiled(answer, bodies)
        print(json.dumps(said), flush=True)


def _application():
    """Answers a body in this process, which observes as a worker of the server does."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "gm_project.settings"
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    from django.conf import settings

    if settings.METRICS_PORT:
        from gm_project.serving import metrics

        metrics.start(None)
    if settings.TRACED:
        from gm_project.serving import exporting

        exporting.start()
    settings.ALLOWED_HOSTS = ["127.0.0.1"]

    def answer(body):
        said = b"".join(application(_environ(body), lambda *_: None))
        assert b'"A277001"' in said, said

    return answer


def _environ(body):
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": targets.PATH,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {targets.API_TOKEN}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    }


def _timed(answer, bodies, number):
    began = time.process_time()
    for body in bodies[:number]:
        answer(body)
    return (time.process_time() - began) / number * 1e6


def _profiled(answer, bodies):
    profile = cProfile.Profile()
    for body in bodies[:PROFILED]:
        profile.runcall(answer, body)
    return sum(entry.callcount for entry in profile.getstats()) / PROFILED


if __name__ == "__main__":
    main()
