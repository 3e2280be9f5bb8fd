"""What a run found: a verdict for every rule, with the evidence and the mend."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from conformance.rules import Level, Mode, Rule, of

Verdict = Literal["passed", "failed", "skipped"]
EDITION = "1"
# Of one rule; the rest is only counted.
EXAMPLES = 5


class Finding(BaseModel):
    """One rule and what was seen of it. The mend is for who failed."""

    model_config = ConfigDict(frozen=True)
    rule: str
    level: Level
    verdict: Verdict
    zh: str
    en: str
    evidence: dict[str, Any] = {}
    mend_zh: str | None = None
    mend_en: str | None = None
    see: str


class Report(BaseModel):
    """All findings of one run. It is passed when no `must` failed and none could be left open."""

    model_config = ConfigDict(frozen=True)
    suite: str = EDITION
    mode: Mode
    subject: str
    at: datetime
    passed: bool
    counts: dict[Verdict, int]
    warnings: int
    findings: tuple[Finding, ...]

    @property
    def failures(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.verdict == "failed")


class Sheet:
    """Findings as they are made. A rule nobody noted is skipped, with the reason."""

    def __init__(self, mode: Mode) -> None:
        self.mode: Mode = mode
        self._noted: dict[str, tuple[Verdict, dict[str, Any]]] = {}

    def note(self, rule: str, holds: bool | None, **evidence: Any) -> None:
        """What was seen of a rule; None: it could not be looked at. A failure is not taken back."""
        if self._noted.get(rule, ("",))[0] == "failed":
            return
        verdict: Verdict = "skipped" if holds is None else "passed" if holds else "failed"
        self._noted[rule] = verdict, {name: value for name, value in evidence.items() if value is not None}

    def listed(self, rule: str, wrong: list[Any], looked_at: int) -> None:
        """What was seen of a rule that many records must keep."""
        if not looked_at:
            self.note(rule, None, why="nothing to look at")
        elif wrong:
            self.note(rule, False, wrong=len(wrong), examples=wrong[:EXAMPLES], looked_at=looked_at)
        else:
            self.note(rule, True, looked_at=looked_at)

    def report(self, subject: str, at: datetime) -> Report:
        findings = tuple(_finding(rule, self._noted) for rule in of(self.mode))
        counts: dict[Verdict, int] = {"passed": 0, "failed": 0, "skipped": 0}
        for finding in findings:
            counts[finding.verdict] += 1
        failed = [finding for finding in findings if finding.verdict == "failed"]
        return Report(
            mode=self.mode, subject=subject, at=at, passed=all(one.level != "must" for one in failed),
            counts=counts, warnings=sum(one.level == "should" for one in failed), findings=findings,
        )  # fmt: skip


def _finding(rule: Rule, noted: Mapping[str, tuple[Verdict, dict[str, Any]]]) -> Finding:
    verdict, evidence = noted.get(rule.id, ("skipped", {"why": "not reached: an earlier rule failed"}))
    failed = verdict == "failed"
    return Finding(
        rule=rule.id, level=rule.level, verdict=verdict, zh=rule.zh, en=rule.en, evidence=evidence,
        mend_zh=rule.mend_zh if failed else None, mend_en=rule.mend_en if failed else None, see=rule.see,
    )  # fmt: skip
