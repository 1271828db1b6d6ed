"""The findings, for people and for machines."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from rich.console import Console

from .suite import Finding, Outcome

_MARKS = {
    Outcome.PASSED: "[green]✓ passed [/green]",
    Outcome.FAILED: "[red]✗ failed [/red]",
    Outcome.SKIPPED: "[yellow]~ skipped[/yellow]",
}


def tell(console: Console, finding: Finding) -> None:
    """One line, as it is found; and why, where it did not pass."""
    one = finding.check
    console.print(f"{_MARKS[finding.outcome]} {one.number}  §{one.section}  {one.title}")
    if finding.detail:
        console.print(f"             {finding.detail}", style="dim", markup=False)


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many came to what."""
    return {one.value: sum(f.outcome is one for f in findings) for one in Outcome}


def as_json(findings: Sequence[Finding]) -> str:
    """`{"counts": {…}, "checks": [{…}]}`."""
    checks = [
        {
            "number": finding.check.number,
            "section": finding.check.section,
            "title": finding.check.title,
            "outcome": finding.outcome,
            "detail": finding.detail,
            "seconds": round(finding.seconds, 3),
        }
        for finding in findings
    ]
    return json.dumps({"counts": counts(findings), "checks": checks}, indent=2)


def as_junit(findings: Sequence[Finding]) -> str:
    """What continuous integration reads."""
    number = counts(findings)
    suite = ET.Element(
        "testsuite",
        name="Grant Management for OAuth 2.0, draft 03",
        tests=str(len(findings)),
        failures=str(number["failed"]),
        skipped=str(number["skipped"]),
    )
    for finding in findings:
        one = finding.check
        name = f"{one.number} §{one.section} {one.title}"
        case = ET.SubElement(suite, "testcase", name=name, time=f"{finding.seconds:.3f}")
        if finding.outcome is not Outcome.PASSED:
            tag = "failure" if finding.outcome is Outcome.FAILED else "skipped"
            ET.SubElement(case, tag, message=finding.detail)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
