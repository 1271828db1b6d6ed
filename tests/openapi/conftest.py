import importlib.util

import pytest

collect_ignore_glob = [] if importlib.util.find_spec("drf_spectacular") else ["test_*.py"]
"""The extra `openapi` is needed."""


@pytest.fixture(autouse=True)
def with_encryption_keys(settings):
    from cryptography.fernet import Fernet

    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys
