"""Gymnasium spaces from the server's descriptions."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces


def space_of(description: dict[str, Any]) -> spaces.Space:
    """The space of one observation, or of one row of actions."""
    kind = description["space"]
    if kind == "Discrete":
        return spaces.Discrete(description["n"], start=description["start"])
    if kind == "MultiDiscrete":
        items = description["prefixItems"]
        low = np.array([item["minimum"] for item in items])
        high = np.array([item["maximum"] for item in items])
        return spaces.MultiDiscrete(high - low + 1, start=low)
    if kind != "Box":
        raise ValueError(f"space is {kind}: Box, Discrete or MultiDiscrete is needed")
    shape = tuple(description["shape"])
    size = int(np.prod(shape))
    items = description.get("prefixItems") or [description["items"]] * size
    low = np.array([item.get("minimum", -np.inf) for item in items], dtype=np.float32)
    high = np.array([item.get("maximum", np.inf) for item in items], dtype=np.float32)
    return spaces.Box(low.reshape(shape), high.reshape(shape), dtype=np.float32)


def rounding_of(actions: list[dict[str, Any]]) -> np.ndarray | None:
    """Which numbers of an action row are whole numbers; None where the space says it already."""
    if all(action["kind"] in ("real", "index") for action in actions):
        return None
    return np.array([action["kind"] != "real" for action in actions])
