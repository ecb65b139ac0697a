"""Bundles: compiled tasks, each with its program and all that describes it (docs/bundles.md)."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, lru_cache
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any

from . import _core

MAGIC = b"IGTB"
VERSION = 1
HEADER_BYTES = 24
_HEADER = struct.Struct("<4sIII8s")

#: Entries that a description must have, with their types.
_ENTRIES: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "aliases": list,
    "family": str,
    "config": dict,
    "program_digest": str,
    "layout_hash": int,
    "episode_length": int,
    "action_dtype": str,
    "action_dim": int,
    "observation_dim": int,
    "mask_dim": int,
    "action_space": dict,
    "action_row_space": dict,
    "observation_space": dict,
    "actions": list,
    "observations": list,
    "metrics": list,
    "statistics": list,
    "state": list,
    "heuristics": list,
    "baseline": dict,
    "report": list,
    "grader": dict,
}


class BundleError(ValueError):
    """Bytes that are no bundle; says what is wrong with them."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A compiled task.

    Attributes:
        description: everything about the task but its program, as docs/bundles.md lists it.
        program: what the core steps.
        digest: 16 hex digits that name the bundle exactly.
        data: the whole file.
    """

    description: Mapping[str, Any]
    program: bytes = field(repr=False)
    digest: str
    data: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """`<family>/<name>-v<version>`."""
        return self.description["id"]

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration it was compiled with, every default in."""
        return self.description["config"]

    @property
    def program_digest(self) -> str:
        """16 hex digits that name the program; Node's `programDigest`."""
        return self.description["program_digest"]

    @cached_property
    def statistics_names(self) -> tuple[str, ...]:
        """Of the numbers in a row of episode statistics."""
        return tuple(entry["name"] for entry in self.description["statistics"])

    @cached_property
    def metrics_names(self) -> tuple[str, ...]:
        """Of the numbers in a row of metrics."""
        return tuple(entry["name"] for entry in self.description["metrics"])

    def task(self, metrics: bool = False) -> _core.Task:
        """The program, validated; batches that share a bundle share it."""
        return self._metrics_task if metrics else self._plain_task

    @cached_property
    def _plain_task(self) -> _core.Task:
        return _core.Task(self.program, False)

    @cached_property
    def _metrics_task(self) -> _core.Task:
        return _core.Task(self.program, True)

    def __reduce__(self) -> tuple[Any, ...]:
        return decode, (self.data,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Bundle:
        return self  # nothing of it changes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bundle) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def decode(data: bytes) -> Bundle:
    """Reads a bundle.

    Raises:
        BundleError: naming what is wrong with the bytes.
    """
    data = bytes(data)
    if len(data) < HEADER_BYTES:
        raise BundleError(f"bundle has {len(data)} bytes: a header of {HEADER_BYTES} is needed")
    magic, version, text_bytes, program_bytes, digest = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise BundleError(f"bundle does not begin with the bytes {MAGIC.decode()}")
    if version != VERSION:
        raise BundleError(f"bundle has version {version}: {VERSION} is needed")
    program_from = -(-(HEADER_BYTES + text_bytes) // 8) * 8
    if len(data) != program_from + program_bytes:
        needed = f"its header asks for {program_from + program_bytes}"
        raise BundleError(f"bundle has {len(data)} bytes: {needed}")
    if hashlib.sha256(data[:16] + data[HEADER_BYTES:]).digest()[:8] != digest:
        raise BundleError("bundle is damaged: its content has another digest than its header")
    description = _parse(data[HEADER_BYTES : HEADER_BYTES + text_bytes])
    bundle = Bundle(description, data[program_from:], digest.hex(), data)
    _check(bundle)
    return bundle


def _parse(text: bytes) -> dict[str, Any]:
    try:
        description = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise BundleError(f"description is no JSON: {error}") from error
    if not isinstance(description, dict):
        raise BundleError("description is no object: one is needed")
    return description


def _check(bundle: Bundle) -> None:
    """Refuses a bundle whose description does not describe its program."""
    description = bundle.description
    for name, kind in _ENTRIES.items():
        value = description.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            needed = getattr(kind, "__name__", "another type")
            raise BundleError(f"description.{name} is {value!r:.80}: {needed} is needed")
    digest = hashlib.sha256(bundle.program).hexdigest()[:16]
    if digest != bundle.program_digest:
        raise BundleError(
            f"description.program_digest is {bundle.program_digest!r}: the program's is {digest}"
        )
    try:
        widths = bundle.task().widths
    except ValueError as error:
        raise BundleError(str(error)) from error
    try:
        _check_entries(description, widths, bundle.program)
    except (KeyError, TypeError, AttributeError, LookupError, OverflowError) as error:
        raise BundleError(f"description has an entry of another form: {error!r:.80}") from error


#: Bytes of an element of the state.
_ELEMENT_BYTES = {"u32": 4, "f32": 4, "f64": 8}


def _check_entries(
    description: Mapping[str, Any], widths: Mapping[str, int], program: bytes
) -> None:
    """Compares the description with what the core made of the program."""
    state = description["state"]
    described = {
        "action_dim": description["action_dim"],
        "observation_dim": description["observation_dim"],
        "mask_dim": description["mask_dim"],
        "statistics": len(description["statistics"]),
        "state_bytes": sum(e["count"] * _ELEMENT_BYTES[e["dtype"]] for e in state),
        "layout_hash": description["layout_hash"],
        "actions": len(description["actions"]),
        "observations": len(description["observations"]),
        "baseline.row": len(description["baseline"]["row"]),
    }
    wanted = {
        **widths,
        "layout_hash": struct.unpack_from("<I", program, 12)[0],
        "actions": widths["action_dim"],
        "observations": widths["observation_dim"],
        "baseline.row": widths["action_dim"],
    }
    for name, value in described.items():
        if value != wanted[name]:
            raise BundleError(f"description.{name} is {value!r:.80}: {wanted[name]} is needed")
    if description["action_dtype"] not in ("index", "real"):
        raise BundleError("description.action_dtype is neither 'index' nor 'real'")
    for action in description["actions"]:
        _check_action(action)
    if not {"step", "finished"} <= {entry["name"] for entry in state}:
        raise BundleError("description.state has no step and no finished")


def _check_action(action: Mapping[str, Any]) -> None:
    low, high = action["low"], action["high"]
    are_numbers = all(type(bound) in (int, float) for bound in (low, high))
    if isinstance(action["name"], str) and are_numbers and -(2**31) <= low <= high < 2**31:
        return
    raise BundleError(f"description.actions: {action['name']!r:.40} has no range")


@lru_cache(maxsize=1)
def _index() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads((_folder() / "index.json").read_text()))


def _folder() -> Any:
    return resources.files(__package__) / "bundles"


def task_ids() -> list[str]:
    """Ids of all tasks, family by family."""
    return [entry["id"] for entry in _index()]


def task_id(task: str) -> str:
    """The id of a task by its id, an alias, or its id without a version for the newest."""
    return _entry(task)["id"]


def shipped(task: str, action_space: str | None = None) -> Bundle:
    """The bundle of a task, by its id, an alias, or its id without a version for the newest.

    Args:
        task: e.g. `serving/static-uniform-v1`, `static-uniform` or `serving/static-uniform`.
        action_space: `structured`, `normalised` or `discrete`, where a task has the choice.

    Raises:
        ValueError: for an unknown task, naming the nearest, or an action space it has not.
    """
    entry = _entry(task)
    variants = entry["variants"]
    if action_space is None:
        return _read(variants[0]["file"])
    for variant in variants:
        if variant["action_space"] == action_space:
            return _read(variant["file"])
    known = [variant["action_space"] for variant in variants]
    needed = "one of " + ", ".join(known) if known[0] else "None: this task has no choice"
    raise ValueError(f"action_space is {action_space!r}: {needed} is needed")


def _entry(task: str) -> dict[str, Any]:
    if not isinstance(task, str):
        raise TypeError(f"task is of type {type(task).__name__}: an id or alias is needed")
    task = re.sub(r"^InfraGym/([a-z0-9]+)-", r"\1/", task)
    newest: dict[str, Any] | None = None
    for entry in _index():
        if task == entry["id"] or task in entry["aliases"]:
            return entry
        if entry["id"].rpartition("-v")[0] == task:
            newest = entry
    if newest is not None:
        return newest
    known = [name for entry in _index() for name in (entry["id"], *entry["aliases"])]
    nearest = ", ".join(get_close_matches(task, known, 3, 0.3) or known[:3])
    raise ValueError(f"no task is called {task!r}; the nearest are {nearest}")


@lru_cache(maxsize=256)
def _read(file: str) -> Bundle:
    return decode(gzip.decompress((_folder() / file).read_bytes()))


def load(source: str | PathLike[str] | bytes) -> Bundle:
    """Reads a bundle of one's own, from a file (gzipped or not) or from bytes.

    `infragym compile --task T --config C --out F` of the npm package writes one.

    Raises:
        BundleError: naming what is wrong with it.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, ValueError) as error:
            raise BundleError(f"bundle is gzipped and damaged: {error}") from error
    return decode(data)


def bundle_of(
    task: str | PathLike[str] | Bundle,
    config: Mapping[str, Any] | None = None,
    action_space: str | None = None,
) -> Bundle:
    """The bundle of a task with some entries of its configuration replaced.

    A configuration is compiled by the npm package where it is found; without one, and for a bundle
    or a bundle's file, nothing but this package is needed.
    """
    if isinstance(task, (Bundle, PathLike)) or _is_file(task):
        bundle = task if isinstance(task, Bundle) else load(task)
        if not config and action_space is None:
            return bundle
        task, config = bundle.id, {**bundle.config, **(config or {})}
    if not config:
        return shipped(task, action_space)
    from .node import compile_task

    entries = dict(config)
    if action_space is not None:
        entries["action_space"] = action_space
    return compile_task(_entry(task)["id"], entries)


def _is_file(task: str) -> bool:
    return isinstance(task, str) and task.endswith((".bundle", ".bundle.gz"))
