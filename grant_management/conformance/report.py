"""The findings, for people and for machines."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field

from .suite import Check, Finding
from .verdict import Outcome


@dataclass
class Report:
    """The checks of a run, and what they found so far."""

    checks: Sequence[Check]
    findings: list[Finding] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every check has run."""
        return len(self.findings) == len(self.checks)

    @property
    def progress(self) -> str:
        """How many checks have run, in words."""
        return f"{len(self.findings)} of {len(self.checks)} checks were made"

    def counts(self) -> dict[str, int]:
        """The number of findings by outcome: `passed`, `failed` and `skipped`."""
        return {one.value: sum(f.outcome is one for f in self.findings) for one in Outcome}


def as_json(report: Report) -> bytes:
    """`{"complete": …, "counts": {…}, "checks": [{…}]}`."""
    checks = [
        {
            "number": finding.check.number,
            "section": finding.check.section,
            "title": finding.check.title,
            "outcome": finding.outcome,
            "detail": finding.detail,
            "repair": finding.repair,
            "seconds": round(finding.seconds, 3),
        }
        for finding in report.findings
    ]
    members = {"complete": report.complete, "counts": report.counts(), "checks": checks}
    return json.dumps(members, indent=2).encode()


def as_junit(report: Report) -> bytes:
    """The report as JUnit XML, for continuous integration. An interrupted run has an error."""
    number = report.counts()
    suite = ET.Element(
        "testsuite",
        name="Grant Management for OAuth 2.0, draft 03",
        tests=str(len(report.findings) + (not report.complete)),
        failures=str(number["failed"]),
        errors=str(int(not report.complete)),
        skipped=str(number["skipped"]),
    )
    for finding in report.findings:
        _case(suite, finding)
    if not report.complete:
        whole = ET.SubElement(suite, "testcase", name="the whole run")
        ET.SubElement(whole, "error", message=report.progress)
    text: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text


def _case(suite: ET.Element, finding: Finding) -> None:
    one = finding.check
    name = f"{one.number} §{one.section} {one.title}"
    case = ET.SubElement(suite, "testcase", name=name, time=f"{finding.seconds:.3f}")
    if finding.outcome is not Outcome.PASSED:
        tag = "failure" if finding.outcome is Outcome.FAILED else "skipped"
        ET.SubElement(case, tag, message=finding.detail).text = finding.repair
