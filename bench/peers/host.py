"""Runs one peer in a process of its own: ``python host.py SPEC`` with SPEC a row of peers.json.

Reads a line ``SECONDS`` from standard input, steps the peer for at least so long and answers with
one line of JSON; the first line it prints says that it is ready, and of which version. Imports,
construction, JIT compilation and a warm-up come before that line and are not timed.
"""

import importlib
import importlib.metadata
import json
import os
import sys
import time

WARM_UP_SECONDS = 0.3


def pin() -> int:
    """Keeps this process and every thread it will start on one core; returns its number."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def measure(run, seconds: float) -> dict[str, float]:
    """Calls ``run`` for at least ``seconds``; each call returns the steps it has taken."""
    env_steps = 0
    cpu_started = time.process_time()
    started = time.perf_counter()
    elapsed = 0.0
    while elapsed < seconds:
        env_steps += run()
        elapsed = time.perf_counter() - started
    cpu = time.process_time() - cpu_started
    return {
        "env_steps": env_steps,
        "wall_s": elapsed,
        "cpu_s": cpu,
        "steps_per_second": env_steps / elapsed,
        "steps_per_cpu_second": env_steps / cpu,
    }


def answer(message: dict) -> None:
    print(json.dumps(message), flush=True)


def main() -> None:
    spec = json.loads(sys.argv[1])
    core = pin()
    run = importlib.import_module(spec["module"]).make(spec["options"])
    run()
    measure(run, WARM_UP_SECONDS)
    answer({"version": importlib.metadata.version(spec["package"]), "core": core})
    for line in sys.stdin:
        answer(measure(run, float(line)))


if __name__ == "__main__":
    main()
