"""
Conditions on columns as a user types them: ``redshift > 0.1 & kind == "ring"``.

The text is read as a formula of comparisons, arithmetic and and/or/not, and of nothing else: it may
come from somebody else's session file. The same formula makes a mask of numpy arrays, and a stock
glue subset state of glue's component ids.
"""

from __future__ import annotations

import ast
import io
import operator
import re
import tokenize
from collections.abc import Callable
from functools import reduce
from typing import Any

from glue_zoobot.errors import CatalogueError

__all__ = ["Condition"]

_LONGEST = 1000  # characters
_BRACES = re.compile(r"\{\s*([^{}]+?)\s*\}")  # as in glue's own formulas, for names such as {mag g}
_WORDS = {"&": " and ", "|": " or ", "~": " not ", "!": " not ", "=": " == "}
_COMPARE = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: lambda base, power: base ** (float(power) if isinstance(power, int) else power),
}
_HELP = 'write such as: redshift > 0.1 & kind == "ring"'


class Condition:
    """
    A formula that is true or false for each galaxy.

    ``&``, ``|`` and ``~`` bind looser than comparisons, so no brackets are needed.

    Parameters
    ----------
    text : str
        The formula. Names of columns that are not plain words stand in braces.

    Raises
    ------
    CatalogueError
        If it is no formula.
    """

    def __init__(self, text: str) -> None:
        self._names: dict[str, str] = {}
        if len(text) > _LONGEST:
            raise CatalogueError(f"the filter is longer than {_LONGEST} characters; shorten it")
        try:
            self._tree = ast.parse(self._as_python(text), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
            raise CatalogueError(f"this is not a condition; {_HELP}") from error

    def _as_python(self, text: str) -> str:
        text = _BRACES.sub(self._placeholder, text.strip())
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        words = (t.string if t.type != tokenize.OP else _WORDS.get(t.string, t.string) for t in tokens)
        return " ".join(words).strip()

    def _placeholder(self, match: re.Match[str]) -> str:
        name = f"_column_{len(self._names)}_"
        self._names[name] = match[1]
        return name

    def build(self, column: Callable[[str], Any]) -> Any:
        """
        Put columns into the formula.

        Parameters
        ----------
        column : callable
            Gives for a name an array (M,), or a glue ComponentID.

        Returns
        -------
        (M,) ndarray of bool, or SubsetState

        Raises
        ------
        CatalogueError
            If the formula says what cannot be computed.
        """
        self._column = column
        try:
            return self._condition(self._tree)
        except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise CatalogueError(f"this cannot be computed ({error}); {_HELP}") from error
        finally:
            del self._column

    def _condition(self, node: ast.expr) -> Any:
        if isinstance(node, ast.BoolOp):
            join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            return reduce(join, (self._condition(part) for part in node.values))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self._condition(node.operand)
        if isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops):
            values = [self._value(part) for part in (node.left, *node.comparators)]
            pairs = zip(node.ops, values[:-1], values[1:], strict=True)
            return reduce(operator.and_, (self._compare(type(op), a, b) for op, a, b in pairs))
        raise CatalogueError(f"{ast.unparse(node)} is not a condition; {_HELP}")

    def _compare(self, op: type, left: Any, right: Any) -> Any:
        sides = (left, right)
        for text, other in (sides, sides[::-1]):
            kind = getattr(getattr(other, "dtype", None), "kind", None)
            if (isinstance(text, str) and kind in tuple("fiub")) or (
                isinstance(text, int | float) and kind in tuple("OU")
            ):
                raise CatalogueError(f"{text!r} is compared with a column of {_kind_name(kind)}")
        if all(isinstance(side, int | float | str) for side in sides):
            raise CatalogueError(f"{left!r} and {right!r} are no columns; {_HELP}")
        return _COMPARE[op](left, right)

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return self._column(self._names.get(node.id, node.id))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float, str):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -1 * self._value(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            return _ARITHMETIC[type(node.op)](self._value(node.left), self._value(node.right))
        raise CatalogueError(f"{ast.unparse(node)} is neither a column, a number nor a text; {_HELP}")


def _kind_name(kind: str) -> str:
    return "texts: put quotes around it" if kind in "OU" else "numbers"
