"""The standalone project's settings and the peers: the same server and middleware serve both."""

from gm_project.settings import *  # noqa: F403
from gm_project.settings import INSTALLED_APPS, MIDDLEWARE

# The peers pass Django's usual middleware, and not what this project's own pages pay for.
_OF_PAGES = ("gm_project.middleware.DatabaseErrors", "gm_project.middleware.LongerStatements")
MIDDLEWARE = [name for name in MIDDLEWARE if name not in _OF_PAGES]

INSTALLED_APPS = [*INSTALLED_APPS, "oauth2_provider"]
ROOT_URLCONF = "benchmarks.peers.urls"
# What introspection needs, and nothing else.
OAUTH2_PROVIDER = {"SCOPES": {"introspection": "ask about tokens", "read": "read"}}
