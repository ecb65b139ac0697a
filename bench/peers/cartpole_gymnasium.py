"""Gymnasium's CartPole-v1: one environment, the loop over many, and its own NumPy vector."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import gymnasium as gym
import numpy as np

SINGLE_STEPS = 10_000
VECTOR_STEPS = 64


def make(options: dict[str, Any]) -> Callable[[], int]:
    """A function that takes some steps and returns how many."""
    if options["mode"] == "single":
        return make_single()
    return make_vector(options["mode"], options["num_envs"])


def make_single() -> Callable[[], int]:
    env = gym.make("CartPole-v1", disable_env_checker=True)
    actions = np.random.default_rng(0).integers(0, 2, size=SINGLE_STEPS).tolist()
    env.reset(seed=0)

    def run() -> int:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return SINGLE_STEPS

    return run


def make_vector(mode: str, num_envs: int) -> Callable[[], int]:
    envs = gym.make_vec("CartPole-v1", num_envs=num_envs, vectorization_mode=mode)
    drawn = np.random.default_rng(0).integers(0, 2, size=(VECTOR_STEPS, num_envs))
    actions = cycle(drawn)
    # The loop over Python environments takes 0.1 s a step: fewer steps make a chunk.
    steps = 1 if mode == "sync" else VECTOR_STEPS
    envs.reset(seed=0)

    def run() -> int:
        for _ in range(steps):
            envs.step(next(actions))
        return steps * num_envs

    return run
