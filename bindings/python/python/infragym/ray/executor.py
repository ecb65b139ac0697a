"""Plays a sweep's pieces as Ray tasks; those of a lost worker are played again elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import ray

from ..sweep import Cell, Executor, Piece, play

#: Pieces that wait at each worker, so that none waits for the driver.
_QUEUED_PER_CPU = 2
#: How often a piece is begun anew whose worker was lost.
_RETRIES = 16


# SPREAD: one piece takes a core for seconds, so that a full node is worth leaving.
@ray.remote(num_cpus=1, max_retries=_RETRIES, scheduling_strategy="SPREAD")
def _play(cell: Cell, number: int, seeds: tuple[int, ...]) -> tuple[pa.Table, float]:
    started = time.perf_counter()
    table = play(Piece(number, cell, seeds))
    return table, time.perf_counter() - started


def executor(workers: int | None = None, seconds: list[float] | None = None) -> Executor:
    """Plays on the Ray cluster that `ray.init` has connected to.

    Args:
        workers: pieces at a time; by default as many as the cluster has CPUs, counted again and
            again, for nodes come and go.
        seconds: takes the time that each piece took on its worker.
    """

    def run(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, pa.Table]]:
        # A cell is megabytes, a piece but numbers: each goes to each node once.
        cells = {id(piece.cell): piece.cell for piece in pieces}
        stored = {key: ray.put(cell) for key, cell in cells.items()}
        waiting = list(reversed(pieces))
        flying: dict[Any, Piece] = {}
        while waiting or flying:
            room = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            while waiting and len(flying) < room * (_QUEUED_PER_CPU if workers is None else 1):
                piece = waiting.pop()
                reference = _play.remote(stored[id(piece.cell)], piece.number, piece.seeds)
                flying[reference] = piece
            ready, _ = ray.wait(list(flying), num_returns=1)
            for reference in ready:
                table, took = ray.get(reference)
                if seconds is not None:
                    seconds.append(took)
                yield flying.pop(reference), table

    return run


def measure(pieces: Sequence[Piece], workers: int) -> dict[str, float]:
    """Plays pieces and measures what distribution costs.

    Returns:
        `wall_seconds`, `work_seconds` (the workers' own, summed), `overhead_ms_mean` of a piece
        (wall times workers less work), and `efficiency`: work over wall times workers.
    """
    seconds: list[float] = []
    run = executor(workers, seconds)
    started = time.perf_counter()
    for _ in run(pieces):
        pass
    wall = time.perf_counter() - started
    work = sum(seconds)
    return {
        "wall_seconds": wall,
        "work_seconds": work,
        "overhead_ms_mean": 1000 * (wall * workers - work) / len(pieces),
        "efficiency": work / (wall * workers),
    }
