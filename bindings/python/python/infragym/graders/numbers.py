"""Arithmetic and text of numbers as the TypeScript graders have them, to the bit and the letter."""

from __future__ import annotations

import math
import struct
from decimal import ROUND_HALF_UP, Decimal

_LN2_HIGH = 0.6931471803691238
_LN2_LOW = 1.9082149292705877e-10


def _series(count: int) -> list[float]:
    """(e^r - 1 - r) / r^2 = 1/2! + r/3! + ..."""
    c = [0.5]
    for i in range(1, count):
        c.append(c[i - 1] * (1 / (i + 2)))
    return c


_EXP_TAIL = _series(13)


def exp(x: float) -> float:
    """e^x by the compiler's own recipe (src/program/math.ts), for libm's differ by machine."""
    if not -708 <= x <= 709:
        raise ValueError(f"exp({x}): x must lie in [-708, 709]")
    k = math.floor(x / (_LN2_HIGH + _LN2_LOW) + 0.5)
    high = x - k * _LN2_HIGH
    low = k * _LN2_LOW
    r = high - low
    tail = 0.0
    for c in reversed(_EXP_TAIL):
        tail = tail * r + c
    power = struct.unpack("<d", struct.pack("<Q", (k + 1023) << 52))[0]
    return (1 + (high - (low - r * r * tail))) * power


def clip01(x: float) -> float:
    """x within 0 .. 1; 0 for NaN."""
    above = x if x > 0 else 0.0
    return above if above < 1 else 1.0


def over(total: float, count: float) -> float:
    """total / count, 0 where there is nothing to count."""
    return total / count if count > 0 else 0.0


def fixed(x: float, digits: int) -> str:
    """JavaScript's `toFixed`: halves go away from zero."""
    rounded = Decimal(x).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    text = f"{rounded:f}"
    return text.removeprefix("-") if x == 0 else text


def plain(x: float) -> str:
    """A number as JavaScript prints it: whole ones without a point."""
    return str(int(x)) if float(x).is_integer() and abs(x) < 1e21 else repr(float(x))
