"""Findings against waivers: what is waived, what is not, and which waivers have had their day."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from infra.config import Waiver
from infra.plan.finding import Finding


@dataclass(frozen=True)
class Verdict:
    """What became of all findings.

    Attributes:
        failed: findings that no waiver in force covers.
        waived: findings with the waiver that covers them.
        expired: waivers whose last day is over, needed or not.
        unused: waivers in force that cover nothing.
    """

    failed: tuple[Finding, ...]
    waived: tuple[tuple[Finding, Waiver], ...]
    expired: tuple[Waiver, ...]
    unused: tuple[Waiver, ...]

    def problems(self, *, everywhere: bool) -> Iterator[str]:
        """A line for each thing that fails the gate.

        Args:
            everywhere: whether the findings are of all environments, so that an unused waiver is needed nowhere.
        """
        yield from map(str, self.failed)
        for waiver in self.expired:
            yield f"{told(waiver)} expired on {waiver.expires}: mend what it waives, or renew it"
        for waiver in self.unused if everywhere else ():
            yield f"{told(waiver)} covers nothing: remove it"


def judge(findings: Iterable[Finding], waivers: Iterable[Waiver], *, today: date) -> Verdict:
    """Hold findings against waivers; the first waiver in force that fits covers a finding."""
    waivers = tuple(waivers)
    in_force = [waiver for waiver in waivers if today <= waiver.expires]
    covered = [
        (finding, next((one for one in in_force if _covers(one, finding)), None)) for finding in sorted(set(findings))
    ]
    waived = tuple((finding, waiver) for finding, waiver in covered if waiver is not None)
    used = {waiver for _, waiver in waived}
    return Verdict(
        failed=tuple(finding for finding, waiver in covered if waiver is None),
        waived=waived,
        expired=tuple(waiver for waiver in waivers if waiver.expires < today),
        unused=tuple(waiver for waiver in in_force if waiver not in used),
    )


def told(waiver: Waiver) -> str:
    """A waiver in a few words."""
    return f"the waiver of {waiver.rule} for {waiver.resources} ({waiver.owner})"


def _covers(waiver: Waiver, finding: Finding) -> bool:
    return waiver.rule == finding.rule and fnmatchcase(finding.resource, waiver.resources)
