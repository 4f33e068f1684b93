"""When scheduled jobs start, as EventBridge Scheduler has it."""

SCHEDULES = {
    "hourly": "cron(15 * * * ? *)",
    "daily": "cron(0 6 * * ? *)",
    "weekly": "cron(0 6 ? * MON *)",
    "monthly": "cron(0 6 1 * ? *)",
}
"""Some time after the window's end, so that the last files have landed. Times are UTC."""


def expression(timetable: str) -> str:
    """The schedule expression of a word such as daily; a cron expression is one already."""
    return SCHEDULES.get(timetable, timetable)
