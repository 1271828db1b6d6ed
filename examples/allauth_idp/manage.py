#!/usr/bin/env python3
"""Django's commands for the example."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

# Run from the checkout: the app lies beside the examples.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

if __name__ == "__main__":
    # Files that a command makes, such as the database, are for their owner alone.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    execute_from_command_line(sys.argv)
