"""List prices: a file a region beside this one, in which every price stands with the place and the day it was read.

What could not be read from a source that can be named is not there; `sagestack prices` writes a region's file from
AWS's own price list. US dollars, on demand, before taxes and discounts.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
VOLUME_GB_MONTH: Final = "volume_gb_month"
SERVERLESS_GB_SECOND: Final = "serverless_gb_second"


@dataclass(frozen=True)
class Reading:
    """Prices that were read at one place.

    Attributes:
        source: the place.
        as_of: the day on which they were the list price, or as much of it as the place says.
        instance_hour: of an instance, by type; hosting, training, processing and batch transform cost the same.
        volume_gb_month: of the volume of a job.
        serverless_gb_second: of a serverless endpoint's memory while it answers.
    """

    source: str
    as_of: str
    instance_hour: Mapping[str, float] = field(default_factory=dict)
    volume_gb_month: float | None = None
    serverless_gb_second: float | None = None


@dataclass(frozen=True)
class Price:
    """One price, and when it was so."""

    usd: float
    as_of: str


@dataclass(frozen=True)
class Prices:
    """What is known of one region; the first reading that has a price counts."""

    region: str
    readings: tuple[Reading, ...]

    def instance_hour(self, instance_type: str) -> Price | None:
        """An hour of an instance; None if that is not known."""
        knowing = (one for one in self.readings if instance_type in one.instance_hour)
        return next((Price(one.instance_hour[instance_type], one.as_of) for one in knowing), None)

    def of(self, name: str) -> Price | None:
        """A price that has a name of its own; None if it is not known."""
        found = ((getattr(one, name), one.as_of) for one in self.readings)
        return next((Price(usd, as_of) for usd, as_of in found if usd is not None), None)

    def write(self) -> Path:
        """Keep them as the region's file; its path."""
        path = FOLDER / f"{self.region}.json"
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        return path


@cache
def prices(region: str) -> Prices:
    """A region's list prices; none where there is no file of them."""
    path = FOLDER / f"{region}.json"
    found = json.loads(path.read_text(encoding="utf-8"))["readings"] if path.exists() else []
    return Prices(region, tuple(Reading(**one) for one in found))
