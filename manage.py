#!/usr/bin/env python3
"""Django's commands for the standalone project."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    # What a command writes, such as a dump, is its owner's alone.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
    # An import, a purge or a migration takes as long as it takes. Checks judge what a server has.
    checks = sys.argv[1:2] in (["doctor"], ["check"])
    os.environ.setdefault("DATABASE_FOR", "requests" if checks else "commands")
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
