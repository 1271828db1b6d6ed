"""`python -m grant_management.conformance CONFIG.toml`: exit code 0 where nothing failed."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from .config import Config, ConfigError
from .report import as_json, as_junit, counts, tell
from .suite import Subject, run_all


def main() -> int:
    """Run every check. 0: none failed; 1: one did; 2: the config cannot be used."""
    parser = argparse.ArgumentParser(prog="grant-management-conformance", description=__doc__)
    parser.add_argument("config", type=Path, metavar="CONFIG.toml")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the report as JUnit XML")
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    try:
        subject = Subject(Config.load(options.config))
    except ConfigError as error:
        console.print(str(error), style="red", markup=False)
        return 2
    findings = run_all(subject, lambda finding: tell(console, finding))
    number = counts(findings)
    console.print(", ".join(f"{count} {outcome}" for outcome, count in number.items()))
    for path, text in ((options.json, as_json), (options.junit, as_junit)):
        if path is not None:
            path.write_text(text(findings))
    return int(number["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
