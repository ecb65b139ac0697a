"""PPO of Stable-Baselines3 on a batch in this process: provisioning and autoscaling.

`sb3_ppo.py --task provisioning/easy --steps 100000` trains once and prints the scores of
random actions, the fixed baseline and the policy on held-out seeds.
"""

from __future__ import annotations

import argparse

import infragym
import numpy as np
import torch
from infragym.sb3 import InfraGymSB3VecEnv
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecNormalize

NUM_ENVS = 32
HELD_OUT = range(1_000_000, 1_000_064)


def train(task: str, steps: int, seed: int = 0) -> tuple[PPO, VecNormalize]:
    """Trains on seeds that begin at `seed`."""
    torch.set_num_threads(1)
    batch = infragym.make_vec(task, NUM_ENVS, autoreset_mode="same_step")
    env = VecNormalize(InfraGymSB3VecEnv(batch), gamma=0.99)
    model = PPO(
        "MlpPolicy", env, n_steps=128, batch_size=512, ent_coef=0.005, seed=seed, device="cpu"
    )
    env.seed(seed * NUM_ENVS)
    model.learn(steps)
    env.training = False
    return model, env


def score_of(task: str, model: PPO, env: VecNormalize) -> float:
    """Mean score on the held-out seeds, graded as Node grades."""

    def act(observations: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
        return model.predict(env.normalize_obs(observations), deterministic=True)[0]

    return float(np.mean([r.score for r in infragym.evaluate(task, act, HELD_OUT)]))


def compare(task: str, steps: int, seed: int = 0) -> dict[str, float]:
    """Mean scores by policy."""
    scores = {
        name: float(np.mean([r.score for r in infragym.evaluate(task, name, HELD_OUT)]))
        for name in ("random", "baseline")
    }
    model, env = train(task, steps, seed)
    return {**scores, "ppo": score_of(task, model, env)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="provisioning/easy")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name, score in compare(arguments.task, arguments.steps, arguments.seed).items():
        print(f"{name:<10} {score:.3f}")
