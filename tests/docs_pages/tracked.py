"""`python -m tests.docs_pages.tracked [PAGE]`: sentry-sdk watches while every door has a bug.

With its defaults, or as the block of a page sets it up. Prints, for each door, how many bugs there
were, how many events were sent, and which of the presented credentials are in them. The transport
keeps what it is given: nothing leaves this process.
"""

import functools
import json
import os
import sys
import tempfile

import django
import sentry_sdk
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from sentry_sdk.transport import Transport

from .page import blocks

SENT = []


class Kept(Transport):
    def capture_envelope(self, envelope):
        SENT.append(envelope.serialize().decode(errors="replace"))


def main():
    os.environ["SENTRY_DSN"] = "https://public@tracker.invalid/1"
    sentry_sdk.init = functools.partial(sentry_sdk.init, transport=Kept)
    if sys.argv[1:]:
        block = next(one for one in blocks(sys.argv[1]) if one.file)
        exec(compile(block.text, str(block), "exec"), {})
    else:
        sentry_sdk.init(dsn=os.environ["SENTRY_DSN"])
    start()
    print(json.dumps(dict(watched())))


def start():
    """The standalone project with an empty database."""
    from gm_project import settings as project

    values = {name: getattr(project, name) for name in dir(project) if name.isupper()}
    values["DATABASES"]["default"] |= {"NAME": f"{tempfile.mkdtemp()}/db.sqlite3"}
    settings.configure(**values | {"ALLOWED_HOSTS": ["testserver"], "LOGGING_CONFIG": None})
    django.setup()
    call_command("migrate", verbosity=0)


def watched():
    """For each door: its name, the bugs, the events, and the credentials that were in them."""
    from .tracked_doors import breaking_at, doors

    for name, credentials, call in doors():
        sent, leaked, statements = 0, set(), 0
        while True:
            SENT.clear()
            with connection.execute_wrapper(breaking_at(statements)):
                broke = call()
            sent += len(SENT)
            leaked |= {kind for kind, value in credentials.items() if value in "".join(SENT)}
            if not broke:
                break
            statements += 1
        yield name, {"bugs": statements, "sent": sent, "leaked": sorted(leaked)}


if __name__ == "__main__":
    main()
