"""Counting a window: its files, in bounded memory, on several threads, into one part that any other part adds to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from monitoring.baseline import Baseline
from monitoring.capture import read_capture
from monitoring.capture_store import CapturedFile, lines_of
from monitoring.event_ids import SeenEvents
from monitoring.profile import Profile
from monitoring.scanner import Scanned, compiled_scanner
from monitoring.tally import Tally
from monitoring.threads import side_by_side
from monitoring.window import Window


@dataclass(frozen=True)
class Part:
    """What was counted in some of a window's records. Parts of one window add up to the same, however it was cut.

    Attributes:
        profile: The features' and the prediction's counts.
        tally: What became of the records.
    """

    profile: Profile
    tally: Tally

    @classmethod
    def empty(cls, baseline: Baseline) -> "Part":
        """No records yet."""
        return cls(Profile.empty(baseline.bins, baseline.profile.prediction.bins), Tally())

    def __add__(self, other: "Part") -> "Part":
        return Part(self.profile + other.profile, self.tally + other.tally)


class CaptureCounter:
    """Counts captured files over a baseline's bins; for any number of threads."""

    def __init__(self, baseline: Baseline, window: Window) -> None:
        self._baseline, self._window = baseline, window
        self._scanner = compiled_scanner(baseline.bins, window)

    def count(self, files: Iterable[CapturedFile]) -> Part:
        """All of `files`, which are in order of their hours: a duplicate is looked for within its hour."""
        parts = side_by_side(lambda one: self._file(*one), _with_seen_events(files))
        return sum(parts, Part.empty(self._baseline))

    def _file(self, file: CapturedFile, seen: SeenEvents) -> Part:
        pieces = (self.count_text(piece, file.key, seen) for piece in file.pieces())
        counted = sum(pieces, Part.empty(self._baseline))
        return Part(counted.profile, counted.tally + Tally(files=1))

    def count_text(self, text: bytes, key: str, seen: SeenEvents) -> Part:
        """Whole lines of the file `key`; `seen` is added to."""
        if self._scanner is None:
            return self.count_lines(lines_of(text), key, seen)
        return sum((self._scanned(each, key, seen) for each in self._scanner.scan(text)), Part.empty(self._baseline))

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
        prediction = self._baseline.profile.prediction.bins
        return Part(Profile.of_scanned(self._baseline.bins, prediction, scanned.numbers, scanned.places), tally)

    def count_lines(self, lines: list[bytes], key: str, seen: SeenEvents) -> Part:
        """Lines that are not blank, of whatever kind: read with care."""
        pieces, tally = read_capture(lines, self._baseline.schema, self._window, seen, file=key)
        bins, prediction = self._baseline.bins, self._baseline.profile.prediction.bins
        profiles = (Profile.of(bins, prediction, rows, scores) for rows, scores in pieces)
        return Part(sum(profiles, Profile.empty(bins, prediction)), tally)


def _with_seen_events(files: Iterable[CapturedFile]) -> Iterator[tuple[CapturedFile, SeenEvents]]:
    """Each file with the events of its hour, which are forgotten with the last of the hour's files."""
    for _, hour in groupby(files, lambda file: file.hour):
        seen = SeenEvents()
        yield from ((file, seen) for file in hour)
