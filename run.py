#!/usr/bin/env python3
"""The one command: sets up .venv with the packages that it needs, then does what was asked.

Needs Python 3.11 or later, and nothing else. An older one reads this file too, and only this file,
so it is written in what Python 2 and 3 share.
"""

import os
import signal
import sys

# Ctrl+C ends this process at once. Python's own way would print a traceback.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
if sys.version_info < (3, 11):
    sys.exit(
        "Python 3.11 or later is needed; this is %s. Install one, and run it by its name, such as:"
        " python3.11 run.py demo" % sys.version.split()[0]
    )
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from gm_project.launcher.arguments import main

if __name__ == "__main__":
    sys.exit(main())
