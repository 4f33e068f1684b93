"""What an owner may ask for besides drift: answers compared by group, and explained; and why it could not be had."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from monitoring.baseline_document import Baseline
from monitoring.contract import MODEL_INPUT
from monitoring.counting import Part
from monitoring.fairness.bias import Bias, bias
from monitoring.job import Job
from monitoring.report import Findings
from monitoring.spec import DriftSpec

if TYPE_CHECKING:
    from monitoring.explanations.explained import Sampler

NO_GROUPS = "answers are not compared by group: the baseline knows of none"
NO_BASELINE = "answers are not explained: the baseline was made without"
OTHER_MODEL = "answers are not explained: the model is not the one that the baseline was made with"
NO_SAMPLE = "answers are not explained: no captured row could be sampled, or the model is not LightGBM's"


def sampler_of(job: Job, spec: DriftSpec) -> "Sampler | None":
    """What explains rows, where that is asked for; only then is a model loaded.

    Raises:
        MonitoringError: there is no model archive.
        ArtifactError: it cannot be loaded.
    """
    if not spec.explained_rows:
        return None
    from monitoring.explanations.explained import Sampler  # noqa: PLC0415 - a model is slow to load, and seldom needed
    from monitoring.scoring import load_predictor  # noqa: PLC0415 - likewise

    return Sampler(load_predictor(job.folder(MODEL_INPUT)), spec.explained_rows)


def with_bias_and_explanations(
    findings: Findings, counted: Part, *, baseline: Baseline, spec: DriftSpec, sampler: "Sampler | None"
) -> Findings:
    """The findings of a window with rows enough, with what was asked for; else as they are."""
    if not findings.features:
        return findings
    explains = sampler is not None and sampler.model_sha256 == baseline.model_sha256
    findings = replace(
        findings,
        bias=_bias(baseline, counted, spec),
        explanations=sampler.explain(counted.sample, baseline.explained) if sampler and explains else None,
    )
    return replace(findings, notes=tuple(_notes(findings, baseline, spec, explains=explains)))


def _bias(baseline: Baseline, counted: Part, spec: DriftSpec) -> tuple[Bias, ...]:
    if baseline.decided is None or counted.decisions is None:
        return ()
    return bias(baseline.decided, counted.decisions, spec.minimum_group_rows)


def _notes(findings: Findings, baseline: Baseline, spec: DriftSpec, *, explains: bool) -> Iterator[str]:
    if spec.groups and not findings.bias:
        yield NO_GROUPS
    if not spec.explained_rows or findings.explanations is not None:
        return
    if baseline.explained is None:
        yield NO_BASELINE
    else:
        yield NO_SAMPLE if explains else OTHER_MODEL
