"""Whether labelled data can be trained on: the columns that the model's file promises, rows, labels, times.

Everything that is wrong is found at once, partition by partition, so that one round of mending is enough.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from monitoring.contract import DATA_INPUT, VALIDATION_FILE, VALIDATION_OUTPUT, VALIDATION_SCHEMA_VERSION
from monitoring.errors import DataRejected
from monitoring.job import Job
from monitoring.spec import Spec

Rule = Literal[
    "missing-column",
    "extra-column",
    "wrong-type",
    "no-rows",
    "one-label",
    "null-label",
    "bad-label",
    "bad-time",
    "unreadable",
]
TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        column: Where; None if it is no matter of a column.
        rule: Which rule is broken.
        detail: What was found, and what the rule is, in words.
        partition: In which partition; None if in all of them together.
    """

    column: str | None
    rule: Rule
    detail: str
    partition: str | None = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.partition, self.column, self.detail) if part)


@dataclass(frozen=True)
class Partition:
    """What was found in one partition.

    Attributes:
        name: The file's name without its ending.
        rows: How many.
        labels: The smallest and the largest label; None where there is none to be read.
        problems: What is wrong with it.
    """

    name: str
    rows: int
    labels: tuple[float, float] | None
    problems: tuple[Problem, ...]


def validate(folder: Path, spec: Spec) -> dict[str, Any]:
    """Check every partition in `folder`.

    Returns:
        `validation.json`, as docs/architecture.md describes it.
    """
    partitions = [_check(file, spec) for file in sorted(folder.glob("*.parquet"))]
    problems = [problem for partition in partitions for problem in partition.problems]
    problems += _across(partitions, spec)
    return {
        "schema_version": VALIDATION_SCHEMA_VERSION,
        "passed": not problems,
        "partitions": [{"name": partition.name, "rows": partition.rows} for partition in partitions],
        "rows": sum(partition.rows for partition in partitions),
        "problems": [asdict(problem) for problem in problems],
    }


def run(job: Job) -> str:
    """Validate the labelled data, and write `validation.json`.

    Raises:
        DataRejected: it did not pass; the message lists what is wrong.
    """
    spec = Spec.from_environment(job.environment)
    verdict = validate(job.folder(DATA_INPUT), spec)
    job.write_json(VALIDATION_OUTPUT, VALIDATION_FILE, verdict)
    if not verdict["passed"]:
        problems = [str(Problem(**problem)) for problem in verdict["problems"]]
        raise DataRejected(f"the labelled data has {len(problems)} problem(s): " + "; ".join(problems))
    return f"{verdict['rows']} rows in {len(verdict['partitions'])} partition(s), as the model's file says"


def _check(file: Path, spec: Spec) -> Partition:
    try:
        schema = pl.read_parquet_schema(file)
        problems = [*_columns(schema, spec, file.stem)]
        facts = pl.scan_parquet(file).select(_facts(schema, spec)).collect().row(0, named=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        return Partition(
            file.stem, 0, None, (Problem(None, "unreadable", f"is no readable Parquet file: {reason}", file.stem),)
        )
    problems += _rows(facts, spec, file.stem)
    low, high = facts.get("low"), facts.get("high")
    labels = None if low is None or high is None else (low, high)
    return Partition(file.stem, facts["rows"], labels, tuple(problems))


def _columns(schema: dict[str, pl.DataType], spec: Spec, partition: str) -> Iterator[Problem]:
    promised = {
        **dict.fromkeys(spec.numeric, "a number"),
        **dict.fromkeys(spec.categorical, "text"),
        spec.label: "a number",
        spec.time: "a time",
    }
    for name, kind in promised.items():
        if name not in schema:
            yield Problem(name, "missing-column", f"is missing: the model's file names it, as {kind}", partition)
        elif not _is(kind, schema[name]):
            yield Problem(name, "wrong-type", f"is {schema[name]}: must be {kind}", partition)
    for name in schema.keys() - promised.keys():
        yield Problem(name, "extra-column", "is not in the model's file: name it there, or leave it out", partition)


def _is(kind: str, found: pl.DataType) -> bool:
    if kind == "a number":
        return found.is_numeric() or found == pl.Boolean
    if kind == "text":
        return found in TEXTS
    return found == pl.Datetime or found in (pl.Date, pl.String)


def _facts(schema: dict[str, pl.DataType], spec: Spec) -> list[pl.Expr]:
    """One pass over the columns that rows are judged by; columns that are not there, or of no use, are left out."""
    facts = [pl.len().alias("rows")]
    if spec.label in schema and _is("a number", schema[spec.label]):
        label = pl.col(spec.label).cast(pl.Float64)
        facts += [
            (label.is_null() | label.is_nan()).sum().alias("null_labels"),
            (~label.fill_nan(None).is_in([0.0, 1.0])).sum().alias("bad_labels"),
            label.fill_nan(None).min().alias("low"),
            label.fill_nan(None).max().alias("high"),
        ]
    if spec.time in schema and _is("a time", schema[spec.time]):
        time = pl.col(spec.time)
        parsed = time.str.to_datetime(time_zone="UTC", strict=False) if schema[spec.time] == pl.String else time
        facts.append(parsed.is_null().sum().alias("bad_times"))
    return facts


def _rows(facts: dict[str, Any], spec: Spec, partition: str) -> Iterator[Problem]:
    if facts["rows"] == 0:
        yield Problem(None, "no-rows", "has no rows", partition)
    if nulls := facts.get("null_labels"):
        yield Problem(
            spec.label,
            "null-label",
            f"is null in {nulls} of {facts['rows']} rows: every row needs its label",
            partition,
        )
    if spec.problem == "binary-classification" and (bad := facts.get("bad_labels")):
        yield Problem(spec.label, "bad-label", f"is neither 0 nor 1 in {bad} rows", partition)
    if bad := facts.get("bad_times"):
        yield Problem(spec.time, "bad-time", f"is null or no time in {bad} of {facts['rows']} rows", partition)


def _across(partitions: list[Partition], spec: Spec) -> Iterator[Problem]:
    if not partitions:
        yield Problem(
            None, "no-rows", "there is no partition: labelled data is one Parquet file a partition, as 2013-01.parquet"
        )
    labels = [value for partition in partitions if partition.labels for value in partition.labels]
    if labels and min(labels) == max(labels):
        yield Problem(
            spec.label, "one-label", f"is {labels[0]:g} in every row of every partition: nothing can be learned"
        )
