"""Policies that `infragym train` of the npm package wrote, played here to the same bits.

The nets are small, so that NumPy steps through their sums in the order of the TypeScript learner
(src/train/learner/reference), every product and every sum rounded to binary32.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .bundle import Bundle
from .policies import BinnedFeature, TabularPolicy

FILE = "policy.bin"
_NORMALIZED_MAX = np.float32(10)
_LEARNER_VERSION = 1

Act = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True)
class LearnedPolicy:
    """A policy as its file has it; `bind` makes it one of a task.

    Attributes:
        header: algorithm, task, seed, settings and the like.
        sections: the file's parts.
        digest: 16 hex digits that name the file exactly.
    """

    header: Mapping[str, Any]
    sections: Mapping[str, bytes] = field(repr=False)
    digest: str

    def bind(self, bundle: Bundle) -> TabularPolicy | Act:
        """The policy on a task: the one it was trained on, or another of the same shape.

        Raises:
            ValueError: for a task of another shape.
            NotImplementedError: for nets that only the npm package plays.
        """
        if "table" in self.sections:
            return _tabular(self.sections, bundle)
        spec, params = _read_model(self.sections["model"])
        if spec["observationDim"] != bundle.description["observation_dim"]:
            raise ValueError(
                f"the policy was trained on {self.header['task']}: it has "
                f"{spec['observationDim']} observations, {bundle.id} has "
                f"{bundle.description['observation_dim']}"
            )
        net = next(iter(spec["nets"].values()))
        if net.get("kind", "mlp") != "mlp" or len(spec["head"].get("classes") or []) > 1:
            raise NotImplementedError(f"nets of kind {net.get('kind')}: the npm package plays them")
        normalizer = _Normalizer(json.loads(self.sections["normalizer"]))
        return _Player(normalizer, _Mlp(spec, net, params), _Head(spec["head"], bundle))


def load(source: str | PathLike[str]) -> LearnedPolicy:
    """Reads a directory of `infragym train`, or its `policy.bin`.

    Raises:
        ValueError: for bytes that are no policy, or damaged ones.
    """
    path = Path(source)
    data = (path / FILE if path.is_dir() else path).read_bytes()
    line, newline, rest = data.partition(b"\n")
    try:
        written = json.loads(line)
        parts = [(part["name"], part["bytes"]) for part in written["parts"]]
        is_policy = written["magic"] == "infragym-sections-1" and newline != b""
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no learned policy") from error
    if not is_policy or written["kind"] != "learned policy":
        raise ValueError(f"{path} is no learned policy: its kind is {written.get('kind')!r}")
    sections, at = {}, 0
    for name, count in parts:
        sections[name] = rest[at : at + count]
        at += count
    digest = hashlib.sha256(line + newline + rest[:at]).hexdigest()[:16]
    if rest[at:].decode(errors="replace") != digest:
        raise ValueError(f"{path} is damaged: its digest is {digest}")
    return LearnedPolicy(written["header"], sections, digest)


def _tabular(sections: Mapping[str, bytes], bundle: Bundle) -> TabularPolicy:
    """The best action of every cell, the lowest of equals."""
    numbers = np.frombuffer(sections["features"], "<f8").tolist()
    features, at = [], 0
    while at < len(numbers):
        count = int(numbers[at + 1])
        features.append(BinnedFeature(int(numbers[at]), numbers[at + 2 : at + 2 + count]))
        at += 2 + count
    cells = int(np.prod([len(f.edges) + 1 for f in features]))
    values = np.frombuffer(sections["table"], "<f8").reshape(cells, -1)
    (action,) = bundle.description["actions"]
    needed = int(action["high"]) - int(action["low"]) + 1
    if values.shape[1] != needed:
        raise ValueError(f"the policy has {values.shape[1]} actions: {bundle.id} has {needed}")
    return TabularPolicy(features, values.argmax(1) + int(action["low"]))


def _read_model(data: bytes) -> tuple[Mapping[str, Any], np.ndarray]:
    line, _, rest = data.partition(b"\n")
    written = json.loads(line)
    if written["version"] != _LEARNER_VERSION:
        raise ValueError(f"the model was saved by learner version {written['version']}")
    return written["spec"], np.frombuffer(rest, "<f4", written["length"])


class _Normalizer:
    """(x - mean) / deviation, clipped to 10 on both sides."""

    def __init__(self, state: Mapping[str, Any]):
        self.kind = state["kind"]
        count = state["count"]
        mean, squares = (np.array(state[name], np.float64) for name in ("mean", "squares"))
        self.shift = mean.astype(np.float32) if count else np.zeros(len(mean), np.float32)
        deviation = np.sqrt(squares / count + 1e-8) if count else np.ones(len(mean))
        self.scale = (1 / deviation).astype(np.float32)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        if self.kind == "none":
            return rows
        if self.kind == "log":
            size = _log(np.float32(1) + np.abs(rows))
            rows = np.where(rows < 0, -size, size)
        scaled = (rows - self.shift) * self.scale
        return np.clip(scaled, -_NORMALIZED_MAX, _NORMALIZED_MAX)


class _Mlp:
    """The first net of a model."""

    def __init__(self, spec: Mapping[str, Any], net: Mapping[str, Any], params: np.ndarray):
        head = spec["head"]
        outputs = sum(head["fields"]) if head["kind"] == "categorical" else head["size"]
        sizes = [spec["observationDim"], *net["hidden"], outputs]
        self.activate = _tanh if net.get("activation", "tanh") == "tanh" else _relu
        self.layers, at = [], 0
        for inputs, outputs in pairwise(sizes):
            weights = params[at : at + inputs * outputs].reshape(outputs, inputs).T.copy()
            at += inputs * outputs
            self.layers.append((weights, params[at : at + outputs]))
            at += outputs

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        for number, (weights, bias) in enumerate(self.layers):
            sums = np.repeat(bias[None], len(rows), 0)
            # One input after the other: the order of the sum is part of the result.
            for column, weight in zip(rows.T, weights, strict=True):
                sums += column[:, None] * weight
            rows = self.activate(sums) if number + 1 < len(self.layers) else sums
        return rows


class _Head:
    """A model's outputs as actions in the numbers of spaces that begin at 0."""

    def __init__(self, head: Mapping[str, Any], bundle: Bundle):
        self.head = head
        actions = bundle.description["actions"]
        self.is_index = head["kind"] == "categorical"
        if self.is_index != (bundle.description["action_dtype"] == "index"):
            raise ValueError(f"the policy's head is {head['kind']}: {bundle.id} has other actions")
        choices = [int(action["high"]) - int(action["low"]) + 1 for action in actions]
        self.fields: Sequence[int] = head["fields"] if self.is_index else []
        self.is_factored = self.is_index and len(self.fields) != len(choices)
        made = [int(np.prod(self.fields))] if self.is_factored else list(self.fields)
        if self.is_index and made != choices:
            raise ValueError(f"the policy has {made} choices: {bundle.id} has {choices}")

    def __call__(self, outputs: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
        if not self.is_index:
            return self._squash(outputs)
        if self.head.get("masked") and masks is not None:
            outputs = np.where(masks > 0, outputs, -np.inf)
        ends = np.cumsum(self.fields)[:-1]
        chosen = [part.argmax(1) for part in np.split(outputs, ends, axis=1)]
        if not self.is_factored:
            return np.stack(chosen, 1)
        number = np.zeros(len(outputs), np.int64)
        for count, choice in zip(self.fields, chosen, strict=True):
            number = number * count + choice
        return number[:, None]

    def _squash(self, outputs: np.ndarray) -> np.ndarray:
        if self.head["kind"] == "gaussian":
            return outputs
        low, high = (np.array(self.head[name], np.float32) for name in ("low", "high"))
        share = (_tanh(outputs) + np.float32(1)) * np.float32(0.5)
        return np.clip(low + (high - low) * share, low, high)


@dataclass(frozen=True)
class _Player:
    """Observations and masks to actions."""

    normalizer: _Normalizer
    net: _Mlp
    head: _Head

    def __call__(self, observations: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
        return self.head(self.net(self.normalizer(observations)), masks)


# exp, log and tanh in binary32, operation for operation those of src/program/float-math.ts.
_MAGIC = np.float32(12582912)
_LOG2_E = np.float32(1.44269504)
_LN2_HIGH = np.float32(0.693359375)
_LN2_LOW = np.float32(-2.1219444e-4)
_ONE_BITS = np.int32(0x3F800000)
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_TANH_MAX = np.float32(9.1)
_EXP = np.array(
    [0.5, 0.16666512191295624, 0.0416661873459816, 0.008369598537683487, 0.0013951717410236597],
    np.float32,
)
_LOG = np.array(
    [
        *(0.3333331346511841, -0.25000008940696716, 0.2000211924314499, -0.16667994856834412),
        *(0.14219549298286438, -0.12405594438314438, 0.11888189613819122, -0.11675629764795303),
        0.06746554374694824,
    ],
    np.float32,
)


def _polynomial(coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
    y = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        y = y * x + c
    return y


def _relu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.float32(0))


def _tanh(x: np.ndarray) -> np.ndarray:
    """By exp(2|x|) - 1 = y: y / (y + 2), with the sign of x."""
    doubled = np.float32(2) * np.minimum(np.abs(x), _TANH_MAX)
    shifted = doubled * _LOG2_E + _MAGIC
    with np.errstate(over="ignore"):
        scale = ((shifted.view(np.int32) << np.int32(23)) + _ONE_BITS).view(np.float32)
    n = shifted - _MAGIC
    r = (doubled - n * _LN2_HIGH) - n * _LN2_LOW
    rest = (r * r) * _polynomial(_EXP, r) + r
    y = rest * scale + (scale - np.float32(1))
    quotient = y / (y + np.float32(2))
    return np.where(x < 0, -quotient, quotient)


def _log(x: np.ndarray) -> np.ndarray:
    """Of positive, normal, finite numbers."""
    bits = np.ascontiguousarray(x).view(np.int32)
    exponent = (bits - _SQRT_HALF_BITS) >> np.int32(23)
    t = (bits - (exponent << np.int32(23))).view(np.float32) - np.float32(1)
    e = exponent.astype(np.float32)
    square = t * t
    high = (square * t) * _polynomial(_LOG, t) + e * _LN2_LOW
    return (t + (high - square * np.float32(0.5))) + e * _LN2_HIGH
