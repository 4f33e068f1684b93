"""What a monitoring job can say is wrong with its input; everything else is a bug and keeps its traceback."""


class MonitoringError(Exception):
    """The job cannot do its work: the message says what is wrong, where, and how to mend it."""


class DataRejected(MonitoringError):  # noqa: N818 - a verdict on the data, not a fault of the job
    """The labelled data failed validation; the message lists the problems."""
