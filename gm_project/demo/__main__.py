"""`python -m gm_project.demo [--once] [--port N]`: the demo, as `run.py demo` calls it."""

import sys

from .program import main

if __name__ == "__main__":
    sys.exit(main())
