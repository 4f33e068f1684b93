"""The quality job: a window's captured answers against the labels that have come since."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from monitoring.aws import Aws
from monitoring.capture import records_within
from monitoring.capture_store import CapturedFile, CaptureStore, lines_of
from monitoring.contract import QUALITY_REPORT_FILE, REPORT_OUTPUT
from monitoring.event_ids import SeenEvents
from monitoring.fairness.opportunity import Groups, Opportunity, groups_of, opportunities
from monitoring.ground_truth import Joined, Keyed, add_answers, add_labels, joined
from monitoring.job import Job
from monitoring.performance import Measured, Vector, classification, estimate, regression
from monitoring.quality_metrics import publish
from monitoring.quality_report import Quality, report, summary
from monitoring.spec import QualitySpec
from monitoring.tally import Tally
from monitoring.threads import side_by_side
from monitoring.window import Window, window_before, window_end


@dataclass
class Labels:
    """What ground truth files held: labels by id, lines read, and lines that could not be used, by reason."""

    by_id: Keyed = field(default_factory=dict)
    read: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def to_json(self, answers: Keyed) -> dict[str, Any]:
        """As `quality_report.json` holds it."""
        return {
            "read": self.read,
            "refused": self.reasons.total(),
            "reasons": dict(self.reasons.most_common()),
            "without_answer": len(self.by_id.keys() - answers.keys()),
        }


def run(job: Job) -> str:
    """Report on the window that was over `label_delay_days` ago: `quality_report.json`, metrics.

    Answers that are not good enough are a successful job: the alarm on its metric acts, not the exit code.

    Raises:
        MonitoringError: the spec or the window's end is wrong.
    """
    spec = QualitySpec.from_environment(job.environment)
    now = window_end(job.environment)
    window = window_before(now - spec.label_delay, spec.schedule)
    aws = Aws(job)
    (answers, groups, tally), labels = _answers(aws.s3, spec, window), _labels(aws.s3, spec, Window(window.start, now))
    pairs = list(joined(answers, labels.by_id, labels.reasons))
    truth, scores = _flat(pair.labels for pair in pairs), _flat(pair.scores for pair in pairs)
    quality = Quality(
        len(truth),
        _metrics(spec, truth, scores),
        _estimate(spec, answers),
        _opportunities(spec, pairs, groups) if len(truth) >= spec.minimum_rows else (),
    )
    document = report(spec, window, quality, records=tally.to_json(), labels=labels.to_json(answers))
    job.write_json(REPORT_OUTPUT, QUALITY_REPORT_FILE, document)
    publish(aws.cloudwatch, spec.endpoint, window_before(now, spec.schedule).end, quality)
    return summary(spec, quality)


def _answers(s3: Any, spec: QualitySpec, window: Window) -> tuple[Keyed, dict[str, Groups], Tally]:  # noqa: ANN401
    answers, groups, tally, seen = Keyed(), dict[str, Groups](), Tally(), SeenEvents()
    # As training orders a model's inputs; the job knows no signature.
    schema = pl.Schema(dict.fromkeys(spec.numeric, pl.Float64) | dict.fromkeys(spec.categorical, pl.String))

    def read(file: CapturedFile) -> list[tuple[pl.DataFrame, Tally]]:
        return [records_within(lines_of(piece), window, seen, file=file.key) for piece in file.pieces()]

    for pieces in side_by_side(read, CaptureStore(s3, spec.capture_uri, spec.endpoint, spec.variant).files(window)):
        tally += Tally(files=1)
        for records, one in pieces:
            add_answers(records, spec.problem, answers, one.reasons)
            groups.update(groups_of(records, schema, spec.groups) if spec.groups else ())
            tally += one
    tally.used, tally.rows = len(answers), sum(map(len, answers.values()))
    return answers, groups, tally


def _labels(s3: Any, spec: QualitySpec, arrived: Window) -> Labels:  # noqa: ANN401 - made at run time
    labels = Labels()
    for pieces in side_by_side(
        lambda file: [*map(bytes, file.pieces())], CaptureStore(s3, spec.ground_truth_uri, "", "").files(arrived)
    ):
        for piece in pieces:
            labels.read += add_labels(piece, spec.problem, labels.by_id, labels.reasons)
    return labels


def _metrics(spec: QualitySpec, labels: Vector, scores: Vector) -> dict[str, Measured]:
    if len(labels) < spec.minimum_rows:
        return {}
    if spec.problem == "binary-classification":
        return classification(labels, scores, spec.decision_threshold)
    return regression(labels, scores)


def _opportunities(spec: QualitySpec, pairs: Sequence[Joined], groups: dict[str, Groups]) -> tuple[Opportunity, ...]:
    """Of labelled rows whose request could be read."""
    if not spec.groups:
        return ()
    known = [pair for pair in pairs if len(groups.get(pair.id, ())) == len(pair.labels)]
    scores = _flat(pair.scores for pair in known)
    return opportunities(
        spec.groups,
        [row for pair in known for row in groups[pair.id]],
        labels=_flat(pair.labels for pair in known),
        answers=(scores >= spec.decision_threshold).astype(np.float64),
        least_rows=spec.minimum_group_rows,
    )


def _flat(values: Iterable[list[float]]) -> Vector:
    return np.array([value for each in values for value in each], dtype=np.float64)


def _estimate(spec: QualitySpec, answers: Keyed) -> dict[str, float] | None:
    """Of all captured answers, labelled or not; it is as right as the scores are calibrated."""
    scores = np.array([score for each in answers.values() for score in each], dtype=np.float64)
    if spec.problem != "binary-classification" or len(scores) < spec.minimum_rows:
        return None
    return estimate(scores, spec.decision_threshold)
