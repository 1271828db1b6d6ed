from importlib.util import find_spec

import pytest

from ..gm_project.conftest import once, url  # noqa: F401 - fixtures of a server as a process

# Not `importorskip`: in a conftest it would end the run.
collect_ignore_glob = [] if find_spec("prometheus_client") else ["test_*.py"]


@pytest.fixture
def counted(settings):
    """Calls are counted. What a metric grew by since then: `grown("name", label="value")`."""
    from prometheus_client import REGISTRY

    from grant_management import observation
    from grant_management.metrics import counters, labels

    labels._known.clear()
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"METRICS": True}
    counters.start()
    before = _values(REGISTRY)

    def grown(name, **of):
        key = (f"grant_management_{name}", frozenset(of.items()))
        return _values(REGISTRY).get(key, 0) - before.get(key, 0)

    yield grown
    observation.observe(None)


def _values(registry):
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }
