"""What distribution costs: a sweep on one and on two workers, and 1,000 on paper.

`npm run bench:python`; ray_cost.txt has the last output. The paper plan simulates workers that
take pieces from one driver with the task times and the overheads that were measured here.
"""

from __future__ import annotations

import heapq
import os
import random
import time

import ray
from infragym import sweep
from infragym.ray import executor
from infragym.ray.executor import measure

TASK, POLICY = "scheduling/large", "power-aware"
PIECES = 16
PAPER_WORKERS = (10, 100, 1000)
PAPER_PIECES_PER_WORKER = 40


def pieces(seeds_per_piece: int) -> list[sweep.Piece]:
    seeds = range(PIECES * seeds_per_piece)
    return sweep.plan([TASK], [POLICY], seeds, seeds_per_piece=seeds_per_piece)


def driver_ms(count: int = 400) -> float:
    """The driver's own time for a piece: to submit it, to take it back, to write it."""
    planned = sweep.plan(["provisioning/easy"], ["hold"], range(count), seeds_per_piece=1)
    started = time.process_time()
    sweep.sweep(planned, f"/tmp/infragym-{os.getpid()}.parquet", executor(2))
    os.remove(f"/tmp/infragym-{os.getpid()}.parquet")
    return 1000 * (time.process_time() - started) / count


def simulate(workers: int, seconds: list[float], driver_seconds: float, overhead: float) -> float:
    """Efficiency of so many workers: a piece waits for the driver, then for a worker."""
    rng = random.Random(workers)
    free = [0.0] * workers
    heapq.heapify(free)
    driver, work = 0.0, 0.0
    for _ in range(workers * PAPER_PIECES_PER_WORKER):
        took = rng.choice(seconds)
        at = heapq.heappop(free)
        driver = max(driver, at) + driver_seconds
        heapq.heappush(free, driver + overhead + took)
        work += took
    return work / (max(free) * workers)


def main() -> None:
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    warm = pieces(1)
    measure(warm, 2)  # workers begin, and import what they need
    calibrated: list[float] = []
    for _ in executor(1, calibrated)(pieces(4)):
        pass
    per_seed = sum(calibrated) / len(calibrated) / 4
    seeds_per_piece = max(1, round(1.5 / per_seed))
    planned = pieces(seeds_per_piece)
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(f"{TASK}, {POLICY}: {PIECES} pieces of {seeds_per_piece} seeds")
    walls: dict[int, float] = {}
    for workers in (1, 2, 1, 2):
        figures = measure(planned, workers)
        walls[workers] = min(walls.get(workers, 1e9), figures["wall_seconds"])
        told = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        print(f"{workers} worker(s): {told}")
        overhead = figures["overhead_ms_mean"] / 1000
    gain = walls[1] / walls[2]
    print(f"speed-up of two workers {gain:.2f}, efficiency {gain / 2:.2f}")
    own = driver_ms()
    print(f"driver {own:.2f} ms a piece")
    seconds: list[float] = []
    for _ in executor(2, seconds)(planned):
        pass
    for workers in PAPER_WORKERS:
        for length in (1, 10):
            longer = [length * s for s in seconds]
            efficiency = simulate(workers, longer, own / 1000, max(overhead, 0.0))
            mean = sum(longer) / len(longer)
            print(
                f"on paper, {workers} workers, pieces of {mean:.1f} s: efficiency {efficiency:.3f}"
            )
    ray.shutdown()


if __name__ == "__main__":
    main()
