"""How often a timetable is due in a month."""

from datetime import date, datetime, time
from typing import Final

from infra.cron import Cron

DAYS_A_MONTH: Final = 365 / 12
MONTHS_A_YEAR: Final = 12
WORDS: Final = {"hourly": DAYS_A_MONTH * 24, "daily": DAYS_A_MONTH, "weekly": DAYS_A_MONTH / 7, "monthly": 1.0}
YEAR: Final = 2026
"""Without a 29th of February."""


def runs_a_month(timetable: str) -> float:
    """The mean over a year; of a word such as daily, or of a cron expression as EventBridge Scheduler has it."""
    if timetable in WORDS:
        return WORDS[timetable]
    cron, days = Cron.parse(timetable.removeprefix("cron(").removesuffix(")")), 0
    due = cron.next(datetime.combine(date(YEAR - 1, 12, 31), time.max))
    while due is not None and due.year == YEAR:
        days, due = days + 1, cron.next(datetime.combine(due.date(), time.max))
    return days * len(cron.hours) * len(cron.minutes) / MONTHS_A_YEAR
