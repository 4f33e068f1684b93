"""This window's findings beside those of the windows before: since when a column drifts, how quality went."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from monitoring.history import Document, History
from monitoring.page.pictures.movements import Cell, Movement
from monitoring.page.pictures.quality import Measured
from monitoring.report import Comparison, Findings
from monitoring.spec import DriftSpec
from monitoring.window import Window, iso

PREDICTION: Final = "prediction"
NEW: Final = "new in this window"
DAYS_LONG: Final = {"hourly": "%d %b %H:00", "daily": "%d %b", "weekly": "%d %b", "monthly": "%b %Y"}
"""What a window is called by its start."""


class Past:
    """The windows before, and this one at their end."""

    def __init__(self, spec: DriftSpec, window: Window, findings: Findings, history: History) -> None:
        self.spec, self.findings, self.unread = spec, findings, history.unread
        self._start = iso(window.start)
        self._drift, self._quality = history.drift, history.quality

    @property
    def windows(self) -> list[str]:
        """What the windows before are called, the oldest first."""
        return [self._called(report) for report in self._drift]

    @property
    def other_baselines(self) -> bool:
        """Whether another version was live in any of them."""
        return not all(map(self._same_baseline, self._drift))

    def movements(self) -> list[Movement]:
        """A row a feature, furthest first, and the prediction's."""
        ordered = sorted(self.findings.features, key=lambda each: -each.ratio)
        rows = [self._movement(each.name, each, _feature(each.name)) for each in ordered]
        prediction = self.findings.prediction
        return rows + ([self._movement(PREDICTION, prediction, _prediction)] if prediction else [])

    def since(self) -> str:
        """The first of the windows with drift that this one ends, without a break; `NEW`, or empty if nobody knows."""
        if self.findings.status != "drift":
            return ""
        return self._since(report["status"] == "drift" for report in reversed(self._comparable()))

    def measured(self) -> list[Measured]:
        """The watched metric of each window whose labels were due."""
        return (
            [_measured(report, self.watched[0], self._called(report)) for report in self._quality]
            if self.watched
            else []
        )

    @property
    def watched(self) -> tuple[str, float | None, float | None] | None:
        """The metric that the newest quality report watches, its limit, and the live version's test days."""
        watched = next((report["watched"] for report in reversed(self._quality) if report.get("watched")), None)
        return None if watched is None else (watched["metric"], watched.get("limit"), watched.get("baseline"))

    def last_quality(self) -> tuple[str, str, bool] | None:
        """Value, words, and whether it is beyond the limit, of the newest window with labels."""
        known = [one for one in zip(self._quality, self.measured(), strict=False) if one[1].value is not None]
        if not known or self.watched is None:
            return None
        report, measured = known[-1]
        return f"{measured.value:.3g}", f"{self.watched[0]} in {measured.window}", report.get("status") == "worse"

    def _movement(self, name: str, now: Comparison, then: Callable[[Document], float | None]) -> Movement:
        before = [
            Cell(self._called(report), then(report), other_baseline=not self._same_baseline(report))
            for report in self._drift
        ]
        since = self._since((then(report) or 0) >= 1 for report in reversed(self._comparable())) if now.drifted else ""
        since = f"since {since}" if since not in {"", NEW} else since
        return Movement(name, now.ratio, f"{now.statistic.name} {now.value:.3g} of {now.threshold:.3g}", before, since)

    def _comparable(self) -> Sequence[Document]:
        """This version's windows without a gap before this one: another version's baseline is another yardstick."""
        found: list[Document] = []
        following = self._start
        for report in reversed(self._drift):
            if not self._same_baseline(report) or report["window"]["end"] != following:
                break
            found.insert(0, report)
            following = report["window"]["start"]
        return found

    def _same_baseline(self, report: Document) -> bool:
        return bool(report.get("baseline_model_version") == self.spec.baseline_model_version)

    def _since(self, drifted: Iterator[bool]) -> str:
        """Going back from this window, the last window that drifted without a break; empty without one to look at."""
        comparable, unbroken = self._comparable(), sum(1 for _ in takewhile(bool, drifted))
        if not comparable:
            return ""
        return self._called(comparable[-unbroken]) if unbroken else NEW

    def _called(self, report: Document) -> str:
        start = datetime.fromisoformat(report["window"]["start"])
        return start.strftime(DAYS_LONG[self.spec.schedule]).lstrip("0")


def _feature(name: str) -> Callable[[Document], float | None]:
    def ratio(report: Document) -> float | None:
        return next((_ratio(one) for one in report.get("features", ()) if one.get("name") == name), None)

    return ratio


def _prediction(report: Document) -> float | None:
    return _ratio(report["prediction"]) if report.get("prediction") else None


def _ratio(one: Mapping[str, Any]) -> float | None:
    return one["value"] / one["threshold"] if one.get("threshold") else None


def _measured(report: Document, metric: str, called: str) -> Measured:
    found, estimate = report.get("metrics", {}).get(metric), (report.get("estimate_without_labels") or {}).get(metric)
    if found is None:
        return Measured(called, None, None, None, estimate)
    return Measured(called, found["value"], found["low"], found["high"], estimate)
