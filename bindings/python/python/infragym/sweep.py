"""Sweeps: policies x tasks x configurations x seeds, here or on Ray, into one parquet file.

A sweep is cut into pieces of some seeds. Each is written when it is done, so that an interrupted
sweep goes on where it was; the pieces are put together in the order of the plan, so that the file
does not depend on who played what, nor on how many did.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import learned, policies
from .bundle import Bundle, bundle_of
from .evaluation import Policy, evaluate
from .learned import LearnedPolicy
from .seeding import parse_seed

#: Seeds of a piece: seconds of work for most tasks.
SEEDS_PER_PIECE = 256

SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("config", pa.string()),
        ("program_digest", pa.string()),
        ("policy", pa.string()),
        ("seed", pa.uint64()),
        ("score", pa.float64()),
        ("episode_return", pa.float64()),
        ("length_steps", pa.int64()),
        ("breakdown", pa.map_(pa.string(), pa.float64())),
        ("statistics", pa.map_(pa.string(), pa.float64())),
    ]
)


@dataclass(frozen=True)
class Cell:
    """What is played alike on all seeds.

    Attributes:
        bundle: the compiled task.
        config: the entries that were replaced, as JSON.
        policy: a name, `constant:0,3` for a row of actions, or a file of parameters.
        parameters: what was in the file, so that a worker elsewhere needs none.
    """

    bundle: Bundle
    config: str
    policy: str
    parameters: policies.LinearPolicy | policies.TabularPolicy | LearnedPolicy | None = None


@dataclass(frozen=True)
class Piece:
    """Some seeds of a cell; `number` is its place in the plan."""

    number: int
    cell: Cell
    seeds: tuple[int, ...]

    @property
    def key(self) -> str:
        """Names what it plays exactly."""
        cell = self.cell
        parameters: Any = cell.parameters
        if isinstance(parameters, LearnedPolicy):
            parameters = parameters.digest
        elif parameters is not None:
            parameters = policies.to_json(parameters)
        words = [cell.bundle.digest, cell.config, cell.policy, parameters, *self.seeds]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:24]


#: Plays pieces, in any order, and gives their tables as they come.
Executor = Callable[[Sequence[Piece]], Iterator[tuple[Piece, pa.Table]]]


def plan(
    tasks: Sequence[str],
    policy_names: Sequence[str],
    seeds: Sequence[int],
    configs: Sequence[Mapping[str, Any]] = ({},),
    seeds_per_piece: int = SEEDS_PER_PIECE,
) -> list[Piece]:
    """The pieces of a sweep.

    Args:
        policy_names: `constants` stands for every constant action of a task with one discrete one.

    Raises:
        ValueError: for an unknown task, policy or entry, before anything is played.
    """
    numbers = [parse_seed(seed, f"seeds[{i}]") for i, seed in enumerate(seeds)]
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError("seeds: at least one, and each once, is needed")
    pieces: list[Piece] = []
    for task in tasks:
        for config in configs:
            bundle = bundle_of(task, config or None)
            for name in _expand(bundle, policy_names):
                parameters = _load(name)
                cell = Cell(bundle, json.dumps(config, sort_keys=True), name, parameters)
                policy_of(cell)
                for at in range(0, len(numbers), seeds_per_piece):
                    chunk = tuple(numbers[at : at + seeds_per_piece])
                    pieces.append(Piece(len(pieces), cell, chunk))
    return pieces


def _expand(bundle: Bundle, names: Sequence[str]) -> list[str]:
    expanded: list[str] = []
    for name in names:
        if name != "constants":
            expanded.append(name)
            continue
        actions = bundle.description["actions"]
        if len(actions) != 1 or bundle.description["action_dtype"] != "index":
            raise ValueError(f"policy constants needs one discrete action: {bundle.id} has others")
        low, high = int(actions[0]["low"]), int(actions[0]["high"])
        expanded += [f"constant:{action}" for action in range(low, high + 1)]
    return expanded


def policy_of(cell: Cell) -> Policy:
    """A cell's policy.

    Raises:
        ValueError: where the task has none of that name.
    """
    if cell.policy.startswith("constant:"):
        return _constant(cell.bundle, cell.policy)
    policy = cell.policy if cell.parameters is None else cell.parameters
    if isinstance(policy, LearnedPolicy):
        policy.bind(cell.bundle)
    elif policy not in ("baseline", "constant"):
        policies.encode(cell.bundle, policy)
    return policy


def _load(
    policy: str,
) -> policies.LinearPolicy | policies.TabularPolicy | LearnedPolicy | None:
    """The parameters of a policy that is a file or a directory; None for a name."""
    if policy.endswith(".json"):
        return policies.load(policy)
    is_learned = policy.endswith(learned.FILE) or Path(policy).is_dir()
    return learned.load(policy) if is_learned else None


def _constant(bundle: Bundle, name: str) -> Policy:
    try:
        row = np.array([float(text) for text in name.partition(":")[2].split(",")])
    except ValueError as error:
        raise ValueError(f"policy is {name!r}: numbers are needed behind the colon") from error
    actions = bundle.description["actions"]
    if len(row) != len(actions):
        raise ValueError(f"policy is {name!r}: {len(actions)} numbers are needed")
    if bundle.description["action_dtype"] == "index":
        # The program's own numbers, as in a bundle's baseline; spaces here begin at 0.
        row = row - np.array([int(action["low"]) for action in actions])
    return lambda observations, masks: np.tile(row, (len(observations), 1))


def play(piece: Piece) -> pa.Table:
    """Plays a piece."""
    cell = piece.cell
    results = evaluate(cell.bundle, policy_of(cell), piece.seeds)
    count = len(results)
    columns = {
        "task": [cell.bundle.id] * count,
        "config": [cell.config] * count,
        "program_digest": [cell.bundle.program_digest] * count,
        "policy": [cell.policy] * count,
        "seed": [result.seed for result in results],
        "score": [result.score for result in results],
        "episode_return": [result.episode_return for result in results],
        "length_steps": [result.length for result in results],
        "breakdown": [list(result.breakdown.items()) for result in results],
        "statistics": [list(result.statistics.items()) for result in results],
    }
    return pa.table(columns, schema=SCHEMA)


def serial(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, pa.Table]]:
    """Plays one piece after the other, here."""
    for piece in pieces:
        yield piece, play(piece)


def sweep(
    pieces: Sequence[Piece],
    out: str | Path,
    executor: Executor = serial,
    on_progress: Callable[[int, int], None] | None = None,
) -> str:
    """Plays what has not been played and writes the file.

    Args:
        pieces: the plan.
        out: the parquet file. Pieces that are done lie in `<out>.parts` until all are.
        executor: who plays.
        on_progress: told of pieces done and of all pieces.

    Returns:
        16 hex digits that name the results exactly.
    """
    file = Path(out)
    parts = file.with_name(file.name + ".parts")
    parts.mkdir(parents=True, exist_ok=True)
    missing = [piece for piece in pieces if not _is_whole(parts / f"{piece.key}.parquet")]
    done = len(pieces) - len(missing)
    for piece, table in executor(missing):
        _write(table, parts / f"{piece.key}.parquet")
        done += 1
        if on_progress is not None:
            on_progress(done, len(pieces))
    tables = [pq.read_table(parts / f"{piece.key}.parquet", schema=SCHEMA) for piece in pieces]
    table = pa.concat_tables(tables).combine_chunks()
    _write(table, file)
    shutil.rmtree(parts)
    return digest_of(table)


def digest_of(table: pa.Table) -> str:
    """16 hex digits that name a table's values exactly."""
    digest = hashlib.sha256()
    for row in table.to_pylist():
        values = [value.hex() if isinstance(value, float) else value for value in row.values()]
        digest.update(json.dumps(values, default=str).encode())
    return digest.hexdigest()[:16]


def _write(table: pa.Table, path: Path) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    pq.write_table(table, draft, compression="zstd")
    draft.replace(path)


def _is_whole(path: Path) -> bool:
    try:
        pq.ParquetFile(path).close()
    except (OSError, pa.ArrowInvalid):
        return False
    return True
