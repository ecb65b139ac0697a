"""Gymnasium's spaces from the descriptions in bundles and of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces


def space_of(description: Mapping[str, Any], signed: bool = False) -> spaces.Space[Any]:
    """The space of one observation or of one row of actions.

    Args:
        description: what `Space.toJSON` of the TypeScript library wrote: a Box, Discrete or
            MultiDiscrete.
        signed: whether discrete actions keep their own numbers, e.g. -16 .. 16. Otherwise they
            begin at 0, which is what learners count on.
    """
    kind = description["space"]
    if kind == "Discrete":
        count, start = description["n"], description["start"]
        return spaces.Discrete(count, start=start) if signed else spaces.Discrete(count)
    if kind == "MultiDiscrete":
        items = description["prefixItems"]
        low = np.array([item["minimum"] for item in items], dtype=np.int64)
        counts = np.array([item["maximum"] for item in items], dtype=np.int64) - low + 1
        return spaces.MultiDiscrete(counts, start=low if signed else None)
    if kind != "Box":
        raise ValueError(f"space is {kind!r}: Box, Discrete or MultiDiscrete is needed")
    shape = tuple(description["shape"])
    items = description.get("prefixItems") or [description["items"]] * int(np.prod(shape))
    low = np.array([item.get("minimum", -np.inf) for item in items], dtype=np.float32)
    high = np.array([item.get("maximum", np.inf) for item in items], dtype=np.float32)
    return spaces.Box(low.reshape(shape), high.reshape(shape), dtype=np.float32)


class ActionRows:
    """What the numbers of an action row may be, in the space that a caller sees.

    Attributes:
        names: of the numbers.
        is_index: whether they are indices, which are refused outside of `low` .. `high`; real
            numbers are clipped by the core.
        shift: what is added to an index to give the program's.
    """

    def __init__(self, description: Mapping[str, Any], signed: bool):
        actions = description["actions"]
        self.names: list[str] = [action["name"] for action in actions]
        self.is_index: bool = description["action_dtype"] == "index"
        own = [int(action["low"]) if self.is_index else 0 for action in actions]
        counts = [int(action["high"]) - low for action, low in zip(actions, own, strict=True)]
        self.shift: list[int] = [0 if signed else low for low in own]
        self.low: list[int] = own if signed else [0] * len(own)
        self.high: list[int] = [low + n for low, n in zip(self.low, counts, strict=True)]
