"""Several hosts, one report: each leaves its part in S3, and the first adds them up.

A part is one object, written whole or not at all, at a place of this run alone: a run that is repeated finds nothing of
one that failed. Nothing is reported, and no metric sent, before every part is there. Where a host fails, SageMaker
fails the job; should it not, the first host gives up after a while and says who is missing.
"""

import json
import time
from collections import Counter
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from monitoring.aws import Aws
from monitoring.baseline_document import Baseline
from monitoring.contract import PART_SCHEMA_VERSION
from monitoring.counting import Part
from monitoring.errors import MonitoringError
from monitoring.explanations.sample import Sample
from monitoring.fairness.decisions import Decisions
from monitoring.hosts import Hosts
from monitoring.moments import Moments
from monitoring.profile import Distribution, Profile
from monitoring.tally import COUNTS, Refusal, Tally

PATIENCE_SECONDS: Final = 1800.0
"""Hosts have about equal shares: one that is so far behind will not come."""
POLL_SECONDS: Final = 2.0


def gathered(aws: Aws, hosts: Hosts, part: Part, *, baseline: Baseline) -> Part | None:
    """Leave this host's part for the first host; on that one, the sum of all parts, on the others None.

    Raises:
        MonitoringError: a part is missing after `PATIENCE_SECONDS`, or is damaged.
    """
    if len(hosts.names) == 1:
        return part
    place, s3 = urlsplit(hosts.gathering_uri), aws.s3
    if not hosts.gathers:
        body = json.dumps(part_to_json(part)).encode()
        s3.put_object(Bucket=place.netloc, Key=f"{place.path[1:]}/{hosts.current}.json", Body=body)
        return None
    others = {name: f"{place.path[1:]}/{name}.json" for name in hosts.names if name != hosts.current}
    for _ in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
        found = _keys(s3, place.netloc, f"{place.path[1:]}/")
        if found.issuperset(others.values()):
            bodies = (s3.get_object(Bucket=place.netloc, Key=key)["Body"].read() for key in others.values())
            return sum((part_from_json(json.loads(body), baseline) for body in bodies), part)
        time.sleep(POLL_SECONDS)
    missing = ", ".join(name for name, key in others.items() if key not in found)
    raise MonitoringError(f"{missing} left no part below {hosts.gathering_uri} within {PATIENCE_SECONDS:.0f} seconds")


def part_to_json(part: Part) -> dict[str, Any]:
    """A part as a host leaves it; the bins are every host's own."""
    columns = (*part.profile.features, part.profile.prediction)
    return {
        "schema_version": PART_SCHEMA_VERSION,
        "columns": [{"counts": each.counts.tolist(), "total": each.total} for each in columns],
        "tally": {name: getattr(part.tally, name) for name in COUNTS},
        "moments": part.moments and part.moments.to_json(),
        "decisions": part.decisions and part.decisions.to_json(),
        "sample": part.sample and part.sample.to_json(),
        "reasons": dict(part.tally.reasons),
        "refused": [[each.file, each.reason, each.record] for each in part.tally.refused],
    }


def part_from_json(document: dict[str, Any], baseline: Baseline) -> Part:
    """What `part_to_json` made.

    Raises:
        MonitoringError: it is of another version of the image, or of another baseline.
    """
    try:
        columns = [(np.array(each["counts"], dtype=np.int64), float(each["total"])) for each in document["columns"]]
        bins = (*baseline.bins, baseline.profile.prediction.bins)
        if document["schema_version"] != PART_SCHEMA_VERSION or [len(counts) for counts, _ in columns] != [
            len(each.labels()) for each in bins
        ]:
            raise MonitoringError("a host's part is of another version or baseline than this host's")
        *features, prediction = (Distribution(each, *column) for each, column in zip(bins, columns, strict=True))
        refused = [Refusal(*each) for each in document["refused"]]
        tally = Tally(**document["tally"], reasons=Counter(document["reasons"]), refused=refused)
        empty = baseline.no_moments
        moments = empty and Moments.from_json(document["moments"], len(empty.sums))
        decisions = None if baseline.decided is None else Decisions.from_json(document["decisions"], baseline.decided)
        sample = document["sample"] and Sample.from_json(document["sample"])
        return Part(Profile(tuple(features), prediction), tally, moments, decisions, sample)
    except (KeyError, TypeError, ValueError) as error:
        raise MonitoringError(f"a host's part is damaged: {type(error).__name__}: {error}") from error


def _keys(s3: Any, bucket: str, prefix: str) -> set[str]:  # noqa: ANN401 - a boto3 client
    return {item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])}
