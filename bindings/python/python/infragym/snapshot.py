"""Snapshots: a batch's state and last outputs, in the bytes that Node's `snapshot()` writes.

docs/bundles.md says what a bundle's `state` entry means; src/api/snapshot.ts draws the header.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import numpy as np

from ._generated import AUTORESET_MODES, CHANNELS
from .bundle import Bundle

if TYPE_CHECKING:
    from .batch import Batch

MAGIC = b"IGSN"
VERSION = 1
_HEADER = struct.Struct("<4sIII8sII8s")

#: What a backend writes: every channel but those that a caller writes.
OUTPUTS = tuple(name for name in CHANNELS if name not in ("actions", "reset_mask"))


class SnapshotError(ValueError):
    """Bytes that are no snapshot of such an environment; says what is wrong with them."""


def encode(batch: Batch) -> bytes:
    """A batch's state and outputs as one snapshot."""
    content = batch.core.export_state() + output_bytes(batch)
    digest = hashlib.sha256(content).digest()[:8]
    return _header(batch, digest) + content


def restore(batch: Batch, snapshot: bytes | bytearray | memoryview) -> None:
    """Checks a snapshot and takes it.

    Raises:
        SnapshotError: naming what is wrong; the batch then goes on as it was.
    """
    if not isinstance(snapshot, (bytes, bytearray, memoryview)):
        kind = type(snapshot).__name__
        raise SnapshotError(f"snapshot is of type {kind}: the bytes snapshot() gave are needed")
    data = bytes(snapshot)
    _check_header(batch, data)
    content = data[_HEADER.size :]
    arrays = [batch.arrays[name] for name in OUTPUTS]
    sizes = [array.nbytes for array in arrays]
    state_bytes = len(batch.core.export_state())
    needed = _HEADER.size + state_bytes + sum(sizes)
    if len(data) != needed:
        raise SnapshotError(f"snapshot has {len(data)} bytes: {needed} are needed")
    if hashlib.sha256(content).digest()[:8] != data[32:40]:
        raise SnapshotError("snapshot is damaged: its content has another digest than its header")
    _check_state(batch.bundle, batch.num_envs, content[:state_bytes])
    outputs = []
    at = state_bytes
    for name, array, size in zip(OUTPUTS, arrays, sizes, strict=True):
        values = np.frombuffer(content, array.dtype, array.size, at).reshape(array.shape)
        _check_output(name, values)
        outputs.append(values)
        at += size
    batch.core.import_state(content[:state_bytes])
    for array, values in zip(arrays, outputs, strict=True):
        array[...] = values


def output_bytes(batch: Batch) -> bytes:
    """The outputs, one after the other."""
    return b"".join(batch.arrays[name].tobytes() for name in OUTPUTS)


def _header(batch: Batch, digest: bytes) -> bytes:
    return _HEADER.pack(
        MAGIC,
        VERSION,
        batch.bundle.description["layout_hash"],
        batch.num_envs,
        bytes.fromhex(batch.bundle.program_digest),
        AUTORESET_MODES.index(batch.autoreset),
        int(batch.metrics),
        digest,
    )


def _check_header(batch: Batch, data: bytes) -> None:
    if len(data) < _HEADER.size:
        needed = f"a header of {_HEADER.size} bytes is needed"
        raise SnapshotError(f"snapshot has {len(data)} bytes: {needed}")
    names = ("magic", "version", "layout_hash", "num_envs", "program_digest", "autoreset", "infos")
    given = _HEADER.unpack_from(data)[:-1]
    wanted = _HEADER.unpack(_header(batch, bytes(8)))[:-1]
    for name, value, needed in zip(names, given, wanted, strict=True):
        if value == needed:
            continue
        if name == "magic":
            raise SnapshotError("snapshot field magic is wrong: the bytes do not begin with IGSN")
        if name == "autoreset" and value < len(AUTORESET_MODES):
            value, needed = AUTORESET_MODES[value], batch.autoreset
        shown = [v.hex() if isinstance(v, bytes) else v for v in (value, needed)]
        raise SnapshotError(f"snapshot field {name} is {shown[0]}: {shown[1]} is needed")


_TYPES = {"u32": "<u4", "f32": "<f4", "f64": "<f8"}


def _check_state(bundle: Bundle, num_envs: int, state: bytes) -> None:
    """Refuses values that no step could have left: the core reads its state without looking."""
    at = 0
    words = {}
    for entry in bundle.description["state"]:
        name, most = entry["name"], entry["max"]
        values = np.frombuffer(state, _TYPES[entry["dtype"]], entry["count"] * num_envs, at)
        at += values.nbytes
        words[name] = values
        wrong = ~np.isfinite(values) if most is None else values > most
        if wrong.any():
            k = int(np.argmax(wrong))
            needed = "a finite number" if most is None else f"at most {most}"
            place = f"environment {k % num_envs}: state {name}"
            raise SnapshotError(f"{place} is {values[k]}: {needed} is needed")
    length = bundle.description["episode_length"]
    wrong = (words["finished"] != 1) & (words["step"] >= length)
    if wrong.any():
        k = int(np.argmax(wrong))
        needed = f"in an unfinished episode less than {length} is needed"
        raise SnapshotError(f"environment {k}: state step is {words['step'][k]}: {needed}")


def _check_output(name: str, values: np.ndarray) -> None:
    is_flag = values.dtype == np.uint8
    wrong = values > 1 if is_flag else ~np.isfinite(values)
    if wrong.any():
        k = int(np.argmax(wrong.ravel()))
        needed = "0 or 1" if is_flag else "a finite number"
        raise SnapshotError(f"snapshot {name}[{k}] is {values.ravel()[k]}: {needed} is needed")
