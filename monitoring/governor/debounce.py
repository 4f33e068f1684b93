"""New data put off until no more of it comes, so that a burst of uploads starts one run.

Each file leaves a one-time schedule at the minute in which it would be quiet, so a burst has one for each of its
minutes; the last of them finds that nothing came since. Nothing polls, and a governor that dies loses nothing.
"""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from monitoring.contract import DATA_SETTLED, EVENT_SOURCE
from monitoring.governor.ledger import moment
from monitoring.governor.spec import Debounce

MINUTE: Final = timedelta(minutes=1)


def quiet_at(last: datetime, debounce: Debounce) -> datetime:
    """When it is quiet if nothing comes after `last`: a whole minute, which is as fine as Scheduler goes."""
    quiet = last + timedelta(minutes=debounce.minutes)
    whole = quiet.replace(second=0, microsecond=0)
    return whole if whole == quiet else whole + MINUTE


def look_again(scheduler: Any, debounce: Debounce, at: datetime, what: str) -> bool:  # noqa: ANN401 - a boto3 client
    """Have the governor called at a moment; whether it will be: no, if that moment has passed already.

    The event's id is the schedule's name: however often the call is delivered, it is decided once.
    """
    name = f"{debounce.schedules}-{at:%y%m%d%H%M}"
    event = {
        "id": name,
        "time": moment(at),
        "source": EVENT_SOURCE,
        "detail-type": DATA_SETTLED,
        "detail": {"what": what},
    }
    try:
        answer = scheduler.create_schedule(
            Name=name,
            ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            KmsKeyArn=debounce.key,
            Target={
                "Arn": debounce.function,
                "RoleArn": debounce.role,
                "DeadLetterConfig": {"Arn": debounce.undecided},
                "Input": json.dumps(event),
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConflictException":
            raise
        answer = error.response  # another file of that minute was first
    return _time_of(answer) < at


def _time_of(answer: dict[str, Any]) -> datetime:
    """The service's time as it answered."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)
