"""Bundles and snapshots that are damaged."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import struct

import infragym
import numpy as np
import pytest
from infragym import BundleError, SnapshotError
from infragym.bundle import decode, shipped

MUTATIONS = 10_000


def resealed(data: bytes) -> bytes:
    """With its digest made good."""
    digest = hashlib.sha256(data[:16] + data[24:]).digest()[:8]
    return data[:16] + digest + data[24:]


def mutated(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(512 if rng.random() < 0.5 else len(data))
    kind = rng.randrange(5)
    if kind == 0:
        return data[: rng.randrange(len(data))]
    if kind == 1:
        return data[:at] + data[at:][rng.randrange(64) :]
    changed = bytearray(data)
    if kind == 2:
        changed[at] ^= 1 << rng.randrange(8)
    elif kind == 3:
        changed[at : at + 1 + rng.randrange(64)] = bytes([rng.randrange(256)])
    else:
        place = min(at & ~3, len(data) - 4)
        struct.pack_into("<I", changed, place, rng.getrandbits(32))
    return bytes(changed)


def test_mutations_are_refused():
    rng = random.Random(0)
    data = shipped("provisioning/hard").data
    for _ in range(MUTATIONS):
        bad = mutated(data, rng)
        if bad == data:
            continue
        with pytest.raises(BundleError):
            decode(bad)


def test_sealed_mutations_are_refused_or_play():
    """Whatever is accepted steps without a crash."""
    rng = random.Random(1)
    data = shipped("provisioning/hard").data
    accepted = 0
    for _ in range(MUTATIONS):
        bad = mutated(data, rng)
        if len(bad) < 24:
            continue
        try:
            bundle = decode(resealed(bad))
            env = infragym.make_vec(bundle, 2)
            env.reset(seed=0)
            env.rollout("random", 3)
            env.snapshot()
        except Exception as error:
            assert isinstance(error, (ValueError, TypeError, KeyError, LookupError)), repr(error)
        else:
            accepted += 1
    assert 0 < accepted < MUTATIONS


def test_files(tmp_path):
    data = shipped("autoscaling/easy").data
    for name, content in {"a.bundle": data, "b.bundle.gz": gzip.compress(data)}.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert infragym.load(path).digest == shipped("autoscaling/easy").digest
        assert infragym.make(str(path)).bundle == infragym.load(content)
    (tmp_path / "bad.bundle.gz").write_bytes(gzip.compress(data)[:-20])
    with pytest.raises(BundleError, match="damaged"):
        infragym.load(tmp_path / "bad.bundle.gz")
    with pytest.raises(BundleError, match="version 2"):
        decode(resealed(data[:4] + struct.pack("<I", 2) + data[8:]))
    with pytest.raises(FileNotFoundError):
        infragym.load(tmp_path / "none.bundle")


def test_descriptions_are_checked_against_the_program():
    bundle = shipped("autoscaling/easy")
    text = json.dumps({**bundle.description, "program_digest": "0" * 16}).encode()
    head = struct.pack("<4sIII", b"IGTB", 1, len(text), len(bundle.program))
    pad = bytes(-(24 + len(text)) % 8)
    with pytest.raises(BundleError, match="program_digest"):
        decode(resealed(head + bytes(8) + text + pad + bundle.program))


def snapshot_of(**arguments):
    env = infragym.make_vec("serving/bursty-sharegpt", 9, **arguments)
    env.reset(seed=4)
    env.rollout("random", 77)
    return env, env.snapshot()


def test_snapshots_that_do_not_fit():
    env, snapshot = snapshot_of()
    digest = env.digest()
    others = [
        infragym.make_vec("serving/static-uniform", 9),
        infragym.make_vec("serving/bursty-sharegpt", 8),
        infragym.make_vec("serving/bursty-sharegpt", 9, autoreset_mode="same_step"),
        infragym.make_vec("serving/bursty-sharegpt", 9, infos=True),
    ]
    for other in others:
        with pytest.raises(SnapshotError, match="snapshot field"):
            other.restore(snapshot)
    bad = [b"", snapshot[:100], snapshot + b"\0", "text", list(snapshot), bytearray(99)]
    bad += [
        snapshot[:at] + bytes([snapshot[at] ^ 1]) + snapshot[at + 1 :] for at in range(0, 4000, 37)
    ]
    for each in bad:
        with pytest.raises(SnapshotError):
            env.restore(each)
        assert env.digest() == digest


def test_forged_snapshots():
    """States that no step could have left, under a digest that is right."""
    env, snapshot = snapshot_of()
    digest = env.digest()

    def forged(at: int, value: bytes) -> bytes:
        content = bytearray(snapshot)
        content[at : at + len(value)] = value
        content[32:40] = hashlib.sha256(content[40:]).digest()[:8]
        return bytes(content)

    at = 40
    for entry in env.bundle.description["state"]:
        size = 8 if entry["dtype"] == "f64" else 4
        if entry["dtype"] == "u32" and entry["max"] < 2**32 - 1:
            with pytest.raises(SnapshotError, match=f"state {entry['name']}"):
                env.restore(forged(at, struct.pack("<I", entry["max"] + 1)))
        if entry["dtype"] == "f64":
            with pytest.raises(SnapshotError, match="finite"):
                env.restore(forged(at, struct.pack("<d", np.nan)))
        at += entry["count"] * 9 * size
    with pytest.raises(SnapshotError, match="finite"):
        env.restore(forged(at, struct.pack("<f", np.inf)))
    assert env.digest() == digest
