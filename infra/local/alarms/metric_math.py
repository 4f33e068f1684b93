"""Metric math, as far as alarms on rates need it: arithmetic, comparisons, AND, OR, IF, FILL, ABS, MIN, MAX, SUM, AVG.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Values = list[float | None]
"""One value a period; None where there is none."""

_BINARY: dict[type[ast.operator | ast.cmpop], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_REDUCE: dict[str, Callable[[Sequence[float]], float]] = {
    "MIN": min,
    "MAX": max,
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
}
OPERATORS = (("&&", " and "), ("||", " or "), ("^", "**"))


class UnsupportedExpressionError(ValueError):
    """An expression that the local cloud cannot evaluate."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression and the ids that it speaks of."""

    text: str
    tree: ast.expr
    names: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """Parse `text`.

        Raises:
            UnsupportedExpressionError: it is not metric math, or more than is understood here.
        """
        source = re.sub(r"\b(AND|OR)\b", lambda match: match[1].lower(), text)
        for theirs, ours in OPERATORS:
            source = source.replace(theirs, ours)
        try:
            tree = ast.parse(source.strip(), mode="eval").body
        except SyntaxError:
            raise UnsupportedExpressionError(f"{text!r} is not a metric math expression") from None
        functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions]
        names = frozenset(node.id for node in nodes) - {"REPEAT"}
        expression = cls(text, tree, names)
        expression.evaluate({name: [1.0] for name in names}, 1)  # refuses now what it would refuse later
        return expression

    def evaluate(self, series: Mapping[str, Values], length: int) -> Values:
        """The expression's values, from those of the ids it speaks of, all of `length` periods."""
        return _Evaluation(self.text, series, length).of(self.tree)


@dataclass(frozen=True)
class _Evaluation:
    text: str
    series: Mapping[str, Values]
    length: int

    def of(self, node: ast.expr) -> Values:
        match node:
            case ast.Constant(value=bool() | int() | float() as value):
                return [float(value)] * self.length
            case ast.Name(id=name) if name in self.series:
                return list(self.series[name])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return [None if value is None else -value for value in self.of(operand)]
            case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]) if (
                type(op) in _BINARY
            ):
                apply = _BINARY[type(op)]
                return [_reduced(lambda row: apply(*row), row) for row in self._rows([left, right])]
            case ast.BoolOp(op=logical, values=parts):
                return [_reduced(all if isinstance(logical, ast.And) else any, row) for row in self._rows(parts)]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        raise UnsupportedExpressionError(f"{self.text!r}: the local cloud does not know {ast.unparse(node)}")

    def _call(self, name: str, arguments: list[ast.expr]) -> Values:
        match name, arguments:
            case "FILL", [series, filler]:
                return self._fill(self.of(series), filler)
            case "IF", [condition, then]:
                return self._if(condition, self.of(then), [None] * self.length)
            case "IF", [condition, then, otherwise]:
                return self._if(condition, self.of(then), self.of(otherwise))
            case "ABS", [series]:
                return [None if value is None else abs(value) for value in self.of(series)]
            case (("MIN" | "MAX" | "SUM" | "AVG"), [ast.List(elts=parts)]):
                return [
                    _reduced(_REDUCE[name], [v for v in row if v is not None] or [None]) for row in self._rows(parts)
                ]
        known = "IF, FILL, ABS and MIN, MAX, SUM or AVG of [a list]"
        raise UnsupportedExpressionError(f"{self.text!r}: {name} is not supported like this; known are {known}")

    def _fill(self, values: Values, filler: ast.expr) -> Values:
        if not isinstance(filler, ast.Name) or filler.id != "REPEAT":
            others = self.of(filler)
            return [other if value is None else value for value, other in zip(values, others, strict=True)]
        repeated: Values = []
        for value in values:
            repeated.append(repeated[-1] if value is None and repeated else value)
        return repeated

    def _if(self, condition: ast.expr, then: Values, otherwise: Values) -> Values:
        rows = zip(self.of(condition), then, otherwise, strict=True)
        return [None if test is None else (yes if test else no) for test, yes, no in rows]

    def _rows(self, parts: Sequence[ast.expr]) -> list[Values]:
        return [list(row) for row in zip(*(self.of(part) for part in parts), strict=True)]


def _reduced(apply: Callable[[list[float]], float], row: Values) -> float | None:
    """What has a missing operand is missing; so is a division by zero."""
    present = [value for value in row if value is not None]
    if len(present) < len(row):
        return None
    try:
        return float(apply(present))
    except ZeroDivisionError:
        return None
