"""PufferLib: its emulation and vectorization over single environments, and a native batch.

PufferLib steps many Gymnasium environments in turn; the core steps them in one call. Prints both
rates: the batch needs no emulation.
"""

from __future__ import annotations

import time

import infragym
import numpy as np
import pufferlib.emulation
import pufferlib.vector

TASK = "autoscaling/easy"
NUM_ENVS = 64


def make_env(buf=None, seed=0):
    """One environment under PufferLib's emulation."""
    return pufferlib.emulation.GymnasiumPufferEnv(env=infragym.make(TASK), buf=buf, seed=seed)


def make_vec():
    """PufferLib's own vector of them."""
    return pufferlib.vector.make(make_env, num_envs=NUM_ENVS, backend=pufferlib.vector.Serial)


def rate_of(step, steps: int) -> float:
    """Environment steps a second."""
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return steps * NUM_ENVS / (time.perf_counter() - started)


def compare(steps: int = 200) -> dict[str, float]:
    """Steps a second of PufferLib's vector and of a batch."""
    actions = np.ones(NUM_ENVS, np.int32)
    emulated = make_vec()
    emulated.reset(seed=0)
    batch = infragym.make_vec(TASK, NUM_ENVS)
    batch.reset(seed=0)
    return {
        "pufferlib over single environments": rate_of(lambda: emulated.step(actions), steps),
        "a batch of the core": rate_of(lambda: batch.step(actions), steps),
    }


if __name__ == "__main__":
    for name, rate in compare().items():
        print(f"{name:<36} {rate:12,.0f} steps/s")
