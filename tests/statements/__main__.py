"""Prints the statements of a file of `--statements` that leave a table without its service."""

import os
import sys
from pathlib import Path

import django

from .judging import judged


def main(path):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
    django.setup()
    said = judged(Path(path), is_whole=False)
    print("\n".join(said), f"{len(said)} places", sep="\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
