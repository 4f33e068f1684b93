"""How long an environment keeps what nobody asks for any more."""

from infra.config.base import Count, LogDays, Section


class RetentionConfig(Section):
    """Days after which objects go; data, models and reports that are not replaced stay."""

    superseded_days: Count = 90
    """Days that a replaced or deleted object can still be brought back, in every bucket."""
    captured_days: Count = 400
    """Days that captured requests and answers are kept."""
    access_log_days: Count = 365
    """Days that the buckets' access logs are kept."""
    log_days: LogDays = 365
    """Days that logs of endpoints, functions and the network are kept, even where all else is kept for ever."""
