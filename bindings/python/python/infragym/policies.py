"""Policies that the core plays: by name, or by their parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ._generated import CORE_POLICIES, FIRST_HEURISTIC, POLICY_WORDS_MAX
from .bundle import Bundle

#: Rows that lie side by side in a linear policy's words.
_ROWS = 8


@dataclass(frozen=True)
class LinearPolicy:
    """y = W · observation + b, summed in f64 in the order of the observations, rounded to f32 once.

    Where actions are real numbers y is the action, which the core clips; where they are indices
    there is a row for each choice, field after field, and the highest of a field wins.

    Attributes:
        weights: f32 [rows, observation_dim]; `policy_rows(bundle)` says how many rows.
        bias: f32 [rows]; zeros by default.
    """

    weights: npt.ArrayLike
    bias: npt.ArrayLike | None = None


@dataclass(frozen=True)
class BinnedFeature:
    """A number of the observation, cut into as many bins as it has edges, and one more.

    Attributes:
        observation: its index or its name.
        edges: f32, rising: a value is in bin n where it has reached n of them.
    """

    observation: int | str
    edges: Sequence[float]


@dataclass(frozen=True)
class TabularPolicy:
    """A table of actions over binned observations.

    Attributes:
        features: the binned numbers.
        table: [bins of the first feature, of the second, ..., action_dim], in the program's own
            numbers, also where a Python space begins at 0.
    """

    features: Sequence[BinnedFeature]
    table: npt.ArrayLike


#: What `rollout` and `record` play: `constant`, `random`, a heuristic, or parameters.
CorePolicy = str | LinearPolicy | TabularPolicy


def policy_rows(bundle: Bundle) -> int:
    """Rows of a linear policy: the action's numbers, or the choices of its indices together."""
    description = bundle.description
    if description["action_dtype"] == "real":
        return description["action_dim"]
    return sum(int(a["high"]) - int(a["low"]) + 1 for a in description["actions"])


def names(bundle: Bundle) -> list[str]:
    """Names that `rollout` takes for a task."""
    return ["constant", "random", *bundle.description["heuristics"]]


def encode(bundle: Bundle, policy: CorePolicy) -> tuple[int, np.ndarray | None]:
    """A policy's number and, where it has parameters, its words.

    Raises:
        ValueError: naming the field, its value and what is needed.
    """
    if isinstance(policy, LinearPolicy):
        return CORE_POLICIES.index("linear"), _encode_linear(bundle, policy)
    if isinstance(policy, TabularPolicy):
        return CORE_POLICIES.index("tabular"), _encode_tabular(bundle, policy)
    known = names(bundle)
    name = policy.replace("-", "_") if isinstance(policy, str) else policy
    if name not in known:
        raise ValueError(
            f"policy is {policy!r}: one of {', '.join(known)}, or parameters, is needed"
        )
    if name in CORE_POLICIES:
        return CORE_POLICIES.index(name), None
    return FIRST_HEURISTIC + bundle.description["heuristics"].index(name), None


def load(source: str | PathLike[str]) -> LinearPolicy | TabularPolicy:
    """Reads a linear or tabular policy from JSON, as the TypeScript library writes it."""
    return from_json(json.loads(Path(source).read_text()))


def from_json(policy: Mapping[str, Any]) -> LinearPolicy | TabularPolicy:
    """The policy that a TypeScript `LinearPolicy` or `TabularPolicy` is, as JSON."""
    kind = policy.get("kind")
    if kind == "linear":
        return LinearPolicy(policy["weights"], policy.get("bias"))
    if kind == "tabular":
        features = [BinnedFeature(f["observation"], f["edges"]) for f in policy["features"]]
        return TabularPolicy(features, policy["table"])
    raise ValueError(f"policy.kind is {kind!r}: linear or tabular is needed")


def to_json(policy: LinearPolicy | TabularPolicy) -> dict[str, Any]:
    """The policy as the TypeScript library takes it."""
    if isinstance(policy, LinearPolicy):
        bias = {} if policy.bias is None else {"bias": np.ravel(policy.bias).tolist()}
        return {"kind": "linear", "weights": np.ravel(policy.weights).tolist(), **bias}
    features = [
        {"observation": f.observation, "edges": list(map(float, f.edges))} for f in policy.features
    ]
    return {"kind": "tabular", "features": features, "table": np.ravel(policy.table).tolist()}


def _encode_linear(bundle: Bundle, policy: LinearPolicy) -> np.ndarray:
    width = bundle.description["observation_dim"]
    rows = policy_rows(bundle)
    padded = -(-rows // _ROWS) * _ROWS
    weights = _numbers("weights", policy.weights, rows * width, f"{rows} x {width}")
    numbers = _allocate(2 + padded * (1 + width))
    if policy.bias is not None:
        numbers[2 : 2 + rows] = _numbers("bias", policy.bias, rows, f"{rows}")
    by_row = np.zeros((padded, width), np.float32)
    by_row[:rows] = weights.reshape(rows, width)
    grouped = by_row.reshape(-1, _ROWS, width).transpose(0, 2, 1)
    numbers[2 + padded :] = grouped.reshape(-1)
    words = numbers.view(np.uint32)
    words[:2] = CORE_POLICIES.index("linear"), rows
    return words


def _encode_tabular(bundle: Bundle, policy: TabularPolicy) -> np.ndarray:
    width = bundle.description["action_dim"]
    edges = [_edges(f, feature.edges) for f, feature in enumerate(policy.features)]
    columns = [_column(bundle, f, feature) for f, feature in enumerate(policy.features)]
    shape = [*(len(e) + 1 for e in edges), width]
    size = int(np.prod(shape))
    table = _numbers("table", policy.table, size, " x ".join(map(str, shape)))
    at = 2 + 2 * len(edges)
    numbers = _allocate(at + sum(map(len, edges)) + size)
    words = numbers.view(np.uint32)
    words[:2] = CORE_POLICIES.index("tabular"), len(edges)
    for f, (column, each) in enumerate(zip(columns, edges, strict=True)):
        words[2 + 2 * f : 4 + 2 * f] = column, len(each)
        numbers[at : at + len(each)] = each
        at += len(each)
    if bundle.description["action_dtype"] == "index":
        words[at:] = _indices(bundle, table).view(np.uint32)
    else:
        numbers[at:] = table
    return words


def _allocate(length: int) -> np.ndarray:
    if length > POLICY_WORDS_MAX:
        raise ValueError(f"the policy has {length} numbers: at most {POLICY_WORDS_MAX} have room")
    return np.zeros(length, np.float32)


def _numbers(name: str, values: npt.ArrayLike, size: int, shape: str) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if array.size != size:
        raise ValueError(f"{name} has {array.size} numbers: {shape} are needed")
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    if not np.isfinite(single).all():
        k = int(np.argmin(np.isfinite(single)))
        raise ValueError(f"{name}[{k}] is {array[k]}: a finite f32 is needed")
    return single


def _edges(f: int, edges: Sequence[float]) -> np.ndarray:
    array = _numbers(f"features[{f}].edges", edges, len(edges), "")
    falls = np.flatnonzero(array[1:] <= array[:-1])
    if falls.size:
        k = int(falls[0]) + 1
        raise ValueError(
            f"features[{f}].edges[{k}] is {array[k]}: more than the edge before is needed"
        )
    return array


def _column(bundle: Bundle, f: int, feature: BinnedFeature) -> int:
    known = [field["name"] for field in bundle.description["observations"]]
    name = feature.observation
    if isinstance(name, str) and name in known:
        return known.index(name)
    if isinstance(name, (int, np.integer)) and 0 <= name < len(known):
        return int(name)
    raise ValueError(
        f"features[{f}].observation is {name!r}: an index below {len(known)} or one of "
        f"{', '.join(known)} is needed"
    )


def _indices(bundle: Bundle, table: np.ndarray) -> np.ndarray:
    """An index has no nearest neighbour to be clipped to, so one outside the space is refused."""
    actions = bundle.description["actions"]
    for k, value in enumerate(table):
        action = actions[k % len(actions)]
        if value == int(value) and action["low"] <= value <= action["high"]:
            continue
        needed = f"an integer from {action['low']} to {action['high']}"
        raise ValueError(f"table[{k}] is {value}: {needed} is needed")
    return table.astype(np.int32)
