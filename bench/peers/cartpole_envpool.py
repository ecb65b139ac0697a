"""EnvPool's CartPole-v1, C++ environments in a pool of one thread, stepped synchronously."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import envpool
import numpy as np

ACTION_ROWS = 64
CHUNK_ENV_STEPS = 2**16


def make(options: dict[str, Any]) -> Callable[[], int]:
    """A function that takes some steps and returns how many."""
    num_envs = options["num_envs"]
    envs = envpool.make(
        "CartPole-v1",
        env_type="gymnasium",
        num_envs=num_envs,
        batch_size=options["batch_size"],
        num_threads=1,
        seed=0,
    )
    drawn = np.random.default_rng(0).integers(0, 2, size=(ACTION_ROWS, num_envs), dtype=np.int32)
    actions = cycle(drawn)
    steps = max(1, CHUNK_ENV_STEPS // num_envs)
    envs.reset()

    def run() -> int:
        for _ in range(steps):
            envs.step(next(actions))
        return steps * num_envs

    return run
