"""Steps a second in one run, in turns: this package, Gymnasium's NumPy CartPole and EnvPool's.

`npm run bench:python`; speed.txt has the last output. Each figure is the median of rounds that
alternate between the contestants, with the lowest and the highest round behind it.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import gymnasium as gym
import infragym
import numpy as np

NUM_ENVS = 1024
ROUNDS = 9
SECONDS = 0.4

Contestant = tuple[str, int, Callable[[], object]]


def batch(task: str, copy: bool) -> Contestant:
    env = infragym.make_vec(task, NUM_ENVS, copy=copy)
    env.action_space.seed(0)
    actions = env.action_space.sample()
    env.reset(seed=0)
    name = f"infragym {task}, {'copies' if copy else 'views'}"
    return f"{name}, {env.kernel}", NUM_ENVS, lambda: env.step(actions)


def single() -> Contestant:
    env = infragym.make("autoscaling/easy")
    env.reset(seed=0)

    def step() -> None:
        if any(env.step(1)[2:4]):
            env.reset()

    return "infragym autoscaling/easy, single", 1, step


def numpy_cartpole() -> Contestant:
    env = gym.make_vec("CartPole-v1", NUM_ENVS, vectorization_mode="vector_entry_point")
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 2, NUM_ENVS)
    return "Gymnasium CartPole-v1, NumPy vector", NUM_ENVS, lambda: env.step(actions)


def single_cartpole() -> Contestant:
    env = gym.make("CartPole-v1").unwrapped
    env.reset(seed=0)

    def step() -> None:
        if env.step(1)[2]:
            env.reset()

    return "Gymnasium CartPole-v1, single", 1, step


def envpool_cartpole() -> list[Contestant]:
    try:
        import envpool
    except ImportError:
        print("EnvPool is not installed: left out")
        return []
    env = envpool.make_gymnasium("CartPole-v1", num_envs=NUM_ENVS)
    env.reset()
    actions = np.random.default_rng(0).integers(0, 2, NUM_ENVS).astype(np.int32)
    return [(f"EnvPool {envpool.__version__} CartPole-v1", NUM_ENVS, lambda: env.step(actions))]


def rate(contestant: Contestant) -> float:
    """Environment steps a second of one round."""
    _, envs, step = contestant
    steps, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < SECONDS:
        for _ in range(50):
            step()
        steps += 50
    return steps * envs / passed


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> None:
    contestants = [
        *(batch("autoscaling/easy", copy) for copy in (True, False)),
        *(batch(task, False) for task in ("provisioning/easy", "static-uniform")),
        batch("scheduling/base", False),
        single(),
        numpy_cartpole(),
        *envpool_cartpole(),
        single_cartpole(),
    ]
    rounds: list[list[float]] = [[] for _ in contestants]
    for contestant in contestants:
        rate(contestant)  # warm
    for _ in range(ROUNDS):
        for contestant, rates in zip(contestants, rounds, strict=True):
            rates.append(rate(contestant))
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} CPUs, load {load:.1f}")
    print(f"infragym {infragym.__version__}, Gymnasium {gym.__version__}, NumPy {np.__version__}")
    print(f"M steps/s, {NUM_ENVS} environments unless single: median (lowest .. highest)")
    for (name, _, _), rates in zip(contestants, rounds, strict=True):
        middle, low, high = (f(rates) / 1e6 for f in (statistics.median, min, max))
        print(f"{name:<46} {middle:8.3f}   ({low:.3f} .. {high:.3f})")


if __name__ == "__main__":
    main()
