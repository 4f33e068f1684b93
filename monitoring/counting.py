"""Counting a window: its files, in bounded memory, on several threads, into one part that any other part adds to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from monitoring.baseline_document import Baseline
from monitoring.capture import read_capture
from monitoring.capture_store import CapturedFile, lines_of
from monitoring.event_ids import SeenEvents
from monitoring.explanations.sample import LINES_A_FILE, Sample
from monitoring.fairness.decisions import Decisions
from monitoring.moments import Moments
from monitoring.profile import Profile
from monitoring.scanner import Scanned, compiled_scanner
from monitoring.tally import Tally
from monitoring.threads import side_by_side
from monitoring.window import Window

if TYPE_CHECKING:
    from monitoring.explanations.explained import Sampler  # loads a model: only where rows are explained


@dataclass(frozen=True)
class Part:
    """What was counted in some of a window's records. Parts of one window add up to the same, however it was cut.

    Attributes:
        profile: The features' and the prediction's counts.
        tally: What became of the records.
        moments: How the numeric features go together; None where that is not asked for.
        decisions: Answers by group; None where no group is declared.
        sample: Rows to be explained; None where none are.
    """

    profile: Profile
    tally: Tally
    moments: Moments | None = None
    decisions: Decisions | None = None
    sample: Sample | None = None

    @classmethod
    def empty(cls, baseline: Baseline) -> "Part":
        """No records yet."""
        empty = Profile.empty(baseline.bins, baseline.profile.prediction.bins)
        return cls(empty, Tally(), baseline.no_moments, baseline.no_decisions)

    @classmethod
    def of(cls, baseline: Baseline, rows: pl.DataFrame, scores: pl.Series, tally: Tally) -> "Part":
        """Count `rows` (a column a feature) and their `scores`."""
        profile = Profile.of(baseline.bins, baseline.profile.prediction.bins, rows, scores)
        return cls(profile, tally, baseline.moments(rows), baseline.decisions(rows, scores))

    def __add__(self, other: "Part") -> "Part":
        moments = self.moments + other.moments if self.moments and other.moments else None
        decisions = self.decisions + other.decisions if self.decisions and other.decisions else None
        sample = self.sample + other.sample if self.sample and other.sample else self.sample or other.sample
        return Part(self.profile + other.profile, self.tally + other.tally, moments, decisions, sample)


class CaptureCounter:
    """Counts captured files over a baseline's bins; for any number of threads."""

    def __init__(self, baseline: Baseline, window: Window, sampler: "Sampler | None" = None) -> None:
        self._baseline, self._window, self._sampler = baseline, window, sampler
        self._scanner = compiled_scanner(baseline.bins, window)
        self._nothing = Part.empty(baseline)

    def count(self, files: Iterable[CapturedFile]) -> Part:
        """All of `files`, which are in order of their hours: a duplicate is looked for within its hour."""
        parts = side_by_side(lambda one: self._file(*one), _with_seen_events(files))
        return sum(parts, self._nothing)

    def _file(self, file: CapturedFile, seen: SeenEvents) -> Part:
        counted = sum(self._pieces(file, seen), self._nothing)
        return replace(counted, tally=counted.tally + Tally(files=1))

    def _pieces(self, file: CapturedFile, seen: SeenEvents) -> Iterator[Part]:
        for number, piece in enumerate(file.pieces()):
            part = self.count_text(piece, file.key, seen)
            yield part if number or self._sampler is None else replace(part, sample=self._sample(piece, file.key))

    def _sample(self, piece: memoryview, key: str) -> Sample | None:
        """Of a file's first records."""
        lines = [line for line in bytes(piece).split(b"\n", LINES_A_FILE)[:LINES_A_FILE] if line.strip()]
        pieces, _ = read_capture(lines, self._baseline.schema, self._window, SeenEvents(), file=key)
        return self._sampler.take(pl.concat([rows for rows, _ in pieces])) if self._sampler and pieces else None

    def count_text(self, text: bytes | memoryview, key: str, seen: SeenEvents) -> Part:
        """Whole lines of the file `key`; `seen` is added to."""
        if self._scanner is None:
            return self.count_lines(lines_of(text), key, seen)
        return sum((self._scanned(each, key, seen) for each in self._scanner.scan(text)), self._nothing)

    def _scanned(self, scanned: Scanned, key: str, seen: SeenEvents) -> Part:
        first = seen.first(scanned.ids)
        part = self._ordinary(scanned if first.all() else scanned.only(first), int((~first).sum()))
        return (
            part + self.count_lines([line for line in scanned.rest if line.strip()], key, seen)
            if scanned.rest
            else part
        )

    def _ordinary(self, scanned: Scanned, duplicates: int) -> Part:
        used = len(scanned.ids)
        tally = Tally(
            read=used + duplicates + scanned.outside,
            used=used,
            outside=scanned.outside,
            duplicates=duplicates,
            rows=scanned.numbers.shape[1],
        )
        prediction, association = self._baseline.profile.prediction.bins, self._baseline.association
        profile = Profile.of_scanned(self._baseline.bins, prediction, scanned.numbers, scanned.places)
        moments = None if association is None else Moments.of(association.scales, [*scanned.numbers[:-1]])
        decisions = self._baseline.scanned_decisions(scanned.places, scanned.numbers[-1])
        return Part(profile, tally, moments, decisions)

    def count_lines(self, lines: list[bytes], key: str, seen: SeenEvents) -> Part:
        """Lines that are not blank, of whatever kind: read with care."""
        pieces, tally = read_capture(lines, self._baseline.schema, self._window, seen, file=key)
        counted = (Part.of(self._baseline, rows, scores, Tally()) for rows, scores in pieces)
        return replace(sum(counted, self._nothing), tally=tally)


def _with_seen_events(files: Iterable[CapturedFile]) -> Iterator[tuple[CapturedFile, SeenEvents]]:
    """Each file with the events of its hour, which are forgotten with the last of the hour's files."""
    for _, hour in groupby(files, lambda file: file.hour):
        seen = SeenEvents()
        yield from ((file, seen) for file in hour)
