"""The two ways to be refused: a model that cannot be served, and input that cannot be scored."""


class ArtifactError(ValueError):
    """A model artifact that cannot be served; the message is the reason, in one line."""


class InputError(ValueError):
    """Input that cannot be scored.

    Attributes:
        reason: what is wrong, which rule it breaks, how to mend it.
        row: the row at fault, the first being 1; None if the whole body is.
        field: the field at fault, by the signature's name; None if the whole row is.
    """

    def __init__(self, reason: str, row: int | None = None, field: str | None = None) -> None:
        place = [f"row {row}"] if row is not None else []
        place += [f"field {field}"] if field is not None else []
        super().__init__(f"{', '.join(place)}: {reason}" if place else reason)
        self.reason = reason
        self.row = row
        self.field = field
