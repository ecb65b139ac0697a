"""Seeds: 64 bits, read and refused as the TypeScript library does."""

from __future__ import annotations

import operator
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

SEED_MAX = 2**64 - 1


def parse_seed(seed: Any, name: str = "seed") -> int:
    """A whole number from 0 to 2^64 - 1.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for one that is negative or larger.
    """
    if isinstance(seed, bool):
        raise TypeError(f"{name} is {seed}: a whole number is needed")
    try:
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"{name} is {seed!r:.60}: a whole number is needed") from None
    if 0 <= number <= SEED_MAX:
        return number
    raise ValueError(f"{name} is {number}: a whole number from 0 to 2^64 - 1 is needed")


def fresh_seed() -> int:
    """A seed that nobody chose; below 2^53, so that JavaScript can write it as a number."""
    return secrets.randbits(53)


def reset_groups(
    seeds: Sequence[int | None] | None, chosen: np.ndarray
) -> Iterator[tuple[int | None, np.ndarray]]:
    """Environments that one reset of a batch begins: those whose seed is first + their number."""
    if seeds is None:
        yield None, chosen
        return
    groups: dict[int | None, list[int]] = {}
    for i in np.flatnonzero(chosen).tolist():
        seed = seeds[i]
        first = None if seed is None else (seed - i) & SEED_MAX
        groups.setdefault(first, []).append(i)
    for first, members in groups.items():
        group = np.zeros(len(chosen), bool)
        group[members] = True
        yield first, group
