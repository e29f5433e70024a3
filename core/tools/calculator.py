"""Arithmetic: what may stand in an expression, and how large it may become. Python parses it, nothing evaluates it."""

from __future__ import annotations

import ast
import keyword
import math
import operator
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from core.errors import ToolError
from core.tools import tool

Number = int | float

_LONGEST = 300  # Characters in an expression: enough for any sum in a conversation, too few to nest deeply.
_BITS = 2048  # Largest whole number, in bits: about 600 digits.

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda base, exponent: _power(base, exponent),
    ast.MatMult: lambda percent, whole: percent * whole / 100,  # "20% of 50" is read as 20 @ 50.
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt,
    "round": lambda value, digits=0: _round(value, digits),
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "log": math.log,
    "log10": math.log10,
    "exp": math.exp,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
}
_CONSTANTS = {"pi": math.pi, "e": math.e}
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})


@tool
def calculate(expression: Annotated[str, Field(description="For example (3 + 4) * 2, sqrt(2), 20% of 50")]) -> str:
    """The value of an arithmetic expression with + - * / // % **, parentheses, sqrt, round, min, max and the like."""
    if len(expression) > _LONGEST:
        raise ToolError(f"The expression is too long: at most {_LONGEST} characters are taken.")
    try:
        return _written(_value(_parsed(expression)))
    except ZeroDivisionError:
        raise ToolError("Division by zero has no value.") from None
    except (OverflowError, RecursionError):
        raise ToolError("The result is too large.") from None
    except (ValueError, TypeError):
        raise ToolError("A function in the expression is not defined for these numbers.") from None


def _parsed(expression: str) -> ast.expr:
    text = re.sub(r"(%|\bpercent\b)\s*of\b", " @ ", expression.translate(_SIGNS).replace("^", "**").strip().rstrip("="))
    # In 2,340 the comma parts thousands; between the arguments of a function it parts numbers.
    if not re.search(r"[A-Za-z]", text):
        text = re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text)
    # Python warns about "1or 2" and the like; its own words have no place in arithmetic anyway.
    if any(keyword.iskeyword(word) for word in re.findall(r"[A-Za-z]+", text)):
        raise ToolError(_UNREADABLE)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, MemoryError, ValueError):
        raise ToolError(_UNREADABLE) from None


_UNREADABLE = "The expression cannot be read. Write numbers and signs as in 2 * (3 + 4)."


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _bounded(value)
        case ast.BinOp(left, op, right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)](_value(left), _value(right)))
        case ast.UnaryOp(op, operand) if type(op) in _UNARY:
            return _bounded(_UNARY[type(op)](_value(operand)))
        case ast.Call(ast.Name(name), arguments, []) if name in _FUNCTIONS:
            return _bounded(_FUNCTIONS[name](*map(_value, arguments)))
        case ast.Name(name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Call(ast.Name(name)) | ast.Name(name):
            raise ToolError(f"{name[:40]!r} is not known. Known are {', '.join((*_FUNCTIONS, *_CONSTANTS))}.")
    raise ToolError(_UNREADABLE)


def _bounded(value: Any) -> Number:
    """`value`, unless it is too large to go on with or not a real number."""
    if isinstance(value, complex) or value != value:
        raise ToolError("The result is not a real number.")
    if value in (math.inf, -math.inf) or (isinstance(value, int) and value.bit_length() > _BITS):
        raise OverflowError
    return value if isinstance(value, float) else int(value)


def _power(base: Number, exponent: Number) -> Any:
    """`base` to the power of `exponent`, refused before a huge whole number is worked out."""
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > _BITS:
        raise OverflowError
    return base**exponent


def _round(value: Number, digits: Number) -> Number:
    if not isinstance(digits, int) or abs(digits) > 15:
        raise ToolError("round takes a whole number of digits, at most 15.")
    return round(value, digits) if digits else round(value)


def _written(value: Number) -> str:
    """Fifteen digits at most, so that 0.1 + 0.2 is 0.3."""
    return str(value) if isinstance(value, int) else f"{value:.15g}"
