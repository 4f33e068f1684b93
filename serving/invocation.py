"""`/invocations`: read the rows, score them, and write what was asked for."""

from functools import lru_cache
from typing import Final

from serving.contract import ARROW, CSV, JSON, JSON_LINES, NPY
from serving.core.errors import InputError
from serving.core.output import render, render_as_asked
from serving.core.parsing import RowParser
from serving.core.predictor import Predictor
from serving.core.rows import Rows
from serving.message import Request, Response, refusal
from serving.options import DEFAULT, MAX_EXPLAINED_ROWS, Options, read_options

CONTENT_TYPES: Final = (CSV, JSON, JSON_LINES, NPY, ARROW)
_OURS: Final = {one.encode(): one for one in CONTENT_TYPES}


class Invocations:
    """Answers invocations of one model."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._parser = RowParser(predictor.signature)

    def answer(self, request: Request) -> Response:
        """The scores of a request's rows.

        Raises:
            InputError: the rows or the options are wrong.
        """
        content_type = _OURS.get(request.content_type) or _content_type(request.content_type)
        if content_type is None:
            return refusal(415, f"the Content-Type must be one of {', '.join(CONTENT_TYPES)}")
        accepted = _accepted(request.accept, content_type) if request.accept else content_type
        if accepted is None:
            return refusal(406, f"the Accept header must allow one of {', '.join(CONTENT_TYPES)}")
        plain = not request.custom_attributes and b"?" not in request.target
        options = DEFAULT if plain else read_options(request.target, request.custom_attributes)
        if options is DEFAULT and (scores := self._predictor.score_text(request.body, content_type)):
            body = render(scores, self._predictor.label, accepted)
            return Response(200, body, accepted, facts={"rows": len(scores), "unknown_categories": {}})
        rows = self._parser.parse(request.body, content_type)
        body = self._render(rows, accepted, options)
        return Response(200, body, accepted, facts={"rows": len(rows), "unknown_categories": rows.unknown})

    def _render(self, rows: Rows, accepted: str, options: Options) -> bytes:
        predictor = self._predictor
        if options is DEFAULT and not predictor.signature.classes:
            alone = len(rows) == 1
            scores = [predictor.score_row(list(rows.values[0]))] if alone else predictor.score(rows.matrix).tolist()
            return render(scores, predictor.label, accepted)
        predictions = predictor.predictions(rows.matrix)
        explained = self._explained(rows) if options.explanations else None
        return render_as_asked(predictions, accepted, output=options.output, contributions=explained)

    def _explained(self, rows: Rows) -> list[dict[str, object]]:
        if len(rows) > MAX_EXPLAINED_ROWS:
            raise InputError(f"explanations are for at most {MAX_EXPLAINED_ROWS} rows a request: send fewer")
        names = self._predictor.signature.names
        return [
            {"contributions": dict(zip(names, shares, strict=True)), "base_value": base}
            for *shares, base in self._predictor.contributions(rows.matrix).tolist()
        ]


@lru_cache(maxsize=64)
def _content_type(header: bytes) -> str | None:
    """The content type among ours, or None."""
    media_type = _media_type(header)
    return next((one for one in CONTENT_TYPES if one == media_type), None)


@lru_cache(maxsize=64)
def _accepted(header: bytes, content_type: str) -> str | None:
    """The first of ours that the Accept header names; anything goes: the request's own; None if none of ours does."""
    for one in header.split(b","):
        media_type = _media_type(one)
        if media_type in CONTENT_TYPES:
            return media_type
        if media_type in ("*/*", content_type.partition("/")[0] + "/*"):
            return content_type
    return None


def _media_type(header: bytes) -> str:
    return header.partition(b";")[0].strip().lower().decode("latin-1")
