"""MaskablePPO of sb3-contrib on scheduling: only feasible decisions are ever taken.

`maskable_ppo.py --steps 50000` trains once and prints mean returns on held-out seeds.
"""

from __future__ import annotations

import argparse

import infragym
import numpy as np
import torch
from infragym.sb3 import InfraGymSB3VecEnv
from sb3_contrib import MaskablePPO

TASK = "scheduling/base"
NUM_ENVS = 32
HELD_OUT = range(1_000_000, 1_000_016)


def train(steps: int, seed: int = 0) -> tuple[MaskablePPO, infragym.InfraGymVectorEnv]:
    """Trains on a batch whose masks reach the policy by `env_method`."""
    torch.set_num_threads(1)
    batch = infragym.make_vec(TASK, NUM_ENVS, autoreset_mode="same_step", infos=True)
    model = MaskablePPO(
        "MlpPolicy",
        InfraGymSB3VecEnv(batch),
        n_steps=64,
        batch_size=512,
        gamma=0.999,
        seed=seed,
        device="cpu",
    )
    model.learn(steps)
    return model, batch


def results_of(model: MaskablePPO) -> list[infragym.EpisodeResult]:
    """The held-out episodes of the policy."""

    def act(observations: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
        return model.predict(observations, deterministic=True, action_masks=masks)[0]

    return infragym.evaluate(TASK, act, HELD_OUT)


def compare(steps: int, seed: int = 0) -> dict[str, float]:
    """Mean returns by policy, and how often the trained one asked for what was infeasible."""
    returns = {
        name: float(np.mean([r.episode_return for r in infragym.evaluate(TASK, name, HELD_OUT)]))
        for name in ("random", "rr", "power-aware")
    }
    model, _ = train(steps, seed)
    results = results_of(model)
    invalid = sum(result.statistics["invalid_actions_sum"] for result in results)
    mean = float(np.mean([result.episode_return for result in results]))
    return {**returns, "maskable ppo": mean, "invalid actions": invalid}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name, value in compare(arguments.steps, arguments.seed).items():
        print(f"{name:<16} {value:10.1f}")
