"""The WSGI application of the peers."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.settings")

from gm_project.wsgi import application

__all__ = ["application"]
