"""Arrow's IPC stream to rows, and predictions to Arrow: for batches, columns as a data frame has them."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from serving.core.arrow_stream import Column, Field, Stream, read_batches
from serving.core.booster import Matrix
from serving.core.errors import InputError
from serving.core.signature import Input, Signature

Codes = Mapping[bytes, float]
_UNKNOWN: Final = -1.0


class ArrowReader:
    """Reads streams for one signature; any number of threads may."""

    def __init__(self, signature: Signature) -> None:
        self._inputs = signature.inputs
        self._names = frozenset(signature.names)
        self._codes: dict[str, Codes] = {
            one.name: {text.encode(): float(code) for code, text in enumerate(one.categories)} for one in self._inputs
        }

    def read(self, body: bytes, unknown: Counter[str]) -> Matrix:
        """The (rows, inputs) matrix of all batches; columns stand in any order, and nulls are missing values.

        Raises:
            InputError: what is wrong, with the column at fault.
        """
        batches = []
        for stream, rows, columns in read_batches(body, self._names):
            by_name = {one.name: (one, column) for one, column in zip(stream.fields, columns, strict=True)}
            matrix = np.empty((rows, len(self._inputs)))
            for place, one in enumerate(self._inputs):
                matrix[:, place] = self._encoded(one, by_name[one.name], stream, unknown)
            batches.append(matrix)
        if not sum(map(len, batches)):
            raise InputError("there are no rows")
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    def _encoded(self, one: Input, found: tuple[Field, Column], stream: Stream, unknown: Counter[str]) -> Matrix:
        told, column = found
        if told.dictionary is None:
            values = self._values(one, column)
        elif (dictionary := stream.dictionaries.get(told.dictionary)) is None:
            raise InputError("the column's dictionary is not in the stream", field=one.name)
        else:
            values = _taken(self._values(one, dictionary), column, one.name)
        if one.type == "categorical":
            strange = values == _UNKNOWN
            if count := int(strange.sum()):
                unknown[one.name] += count
                values[strange] = np.nan
        return values

    def _values(self, one: Input, column: Column) -> Matrix:
        """Numbers, or codes; NaN where missing, _UNKNOWN where a category is."""
        if one.type == "categorical":
            values = self._categories(one, column)
        elif isinstance(column.values, list):
            raise InputError("expected numbers, the column has text", field=one.name)
        else:
            values = column.values.astype(np.float64)
        values[column.missing] = np.nan
        return values

    def _categories(self, one: Input, column: Column) -> Matrix:
        codes, texts = self._codes[one.name], column.values
        if not isinstance(texts, list):
            if texts.dtype.kind not in "iu" and not column.missing.all():
                raise InputError("expected categories as text", field=one.name)
            texts = [] if column.missing.all() else [b"%d" % value for value in texts.tolist()]
        if not texts:
            return np.full(len(column.missing), np.nan)
        return np.array([codes.get(text, _UNKNOWN) if text else np.nan for text in texts])


def _taken(values: Matrix, indices: Column, name: str) -> Matrix:
    """A dictionary's values at each row's index."""
    places = np.where(indices.missing, 0, np.asarray(indices.values)).astype(np.int64)
    if not len(values):
        places, values = np.zeros_like(places), np.full(1, np.nan)
    elif ((places < 0) | (places >= len(values))).any():
        raise InputError("an index leads out of the column's dictionary", field=name)
    taken = values[places]
    taken[indices.missing] = np.nan
    return taken


def write_stream(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Columns of numbers, of texts, or of equally long lists of numbers, as a stream of one batch."""
    import nanoarrow as na  # noqa: PLC0415 - 50 milliseconds that other answers need not wait for
    from nanoarrow.ipc import StreamWriter  # noqa: PLC0415 - likewise

    arrays = {name: _array(na, values) for name, values in columns.items()}
    schema = na.struct({name: array.schema for name, array in arrays.items()}, nullable=False)
    rows = len(next(iter(columns.values())))
    batch = na.c_array_from_buffers(schema, rows, [None], children=list(arrays.values()))
    file = io.BytesIO()
    with StreamWriter.from_writable(file) as writer:
        writer.write_array(batch)
    return file.getvalue()


def _array(na: Any, values: Sequence[Any]) -> Any:  # noqa: ANN401 - nanoarrow has no types
    first = values[0]
    if isinstance(first, str):
        return na.c_array(values, na.string())
    if isinstance(first, int):
        return na.c_array(np.array(values, np.int64))
    if isinstance(first, float):
        return na.c_array(np.array(values, np.float64))
    flat = na.c_array(np.array(values, np.float64).ravel())
    kind = na.fixed_size_list(na.float64(), len(first))
    return na.c_array_from_buffers(kind, len(values), [None], children=[flat])
