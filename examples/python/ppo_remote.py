"""PPO of Stable-Baselines3 on serving task 1, through a running server's batch WebSocket.

``ppo.py --steps 200000 --seeds 0 1 2 --out results`` trains once per seed, scores random actions,
the fixed baseline and each policy on the same held-out seeds, prints a table and writes
``ppo.json`` and ``ppo.png``. A learning curve is measured on seeds of its own.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import torch
from infragym.remote import InfraGymVectorEnv
from infragym.sb3 import InfraGymSB3VecEnv
from scipy import stats
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

matplotlib.use("Agg")
from matplotlib import pyplot as plt

TASK = "serving/static-uniform"
TPS_MARKS = (2800.0, 8200.0)  # mean tokens/s of scores 0 and 1: the task's grader
NUM_ENVS = 32
CURVE_SEED = 500_000
HELD_OUT_SEED = 1_000_000
GAMMA = 0.95  # what a configuration does shows within a few steps
OPTIONS = {
    "action_space": "normalised",  # a raw Box [1, 512] leaves PPO stuck at batch 1
    "config": {"normalize_observation": True},
}

Policy = Callable[[np.ndarray], np.ndarray]


class Evaluator:
    """Plays one episode of each of 32 seeds, the same ones each time."""

    def __init__(self, url: str, seed: int):
        self.env = InfraGymVectorEnv(TASK, NUM_ENVS, url, **OPTIONS)
        self.seed = seed

    def play(self, policy: Policy) -> dict[str, np.ndarray]:
        """Scores and returns, [32] each."""
        observations, _ = self.env.reset(seed=self.seed)
        ended = np.zeros(NUM_ENVS, dtype=bool)
        returns = np.zeros(NUM_ENVS)
        while not ended.all():
            observations, rewards, terminated, truncated, _ = self.env.step(policy(observations))
            returns += rewards
            ended = terminated | truncated
        statistics = self.env.statistics()
        tps = statistics["tokens_per_sec_sum"] / statistics["length_steps"]
        low, high = TPS_MARKS
        return {"score": np.clip((tps - low) / (high - low), 0, 1), "return": returns}


def policy_of(model: PPO, normalise: VecNormalize) -> Policy:
    return lambda rows: model.predict(normalise.normalize_obs(rows), deterministic=True)[0]


class Curve(BaseCallback):
    """The mean score on the curve's seeds, before training and after every ``every`` steps."""

    def __init__(self, evaluator: Evaluator, normalise: VecNormalize, every: int):
        super().__init__()
        self.evaluator = evaluator
        self.normalise = normalise
        self.every = every
        self.points: list[tuple[int, float]] = []

    def measure(self) -> None:
        if self.points and self.points[-1][0] == self.num_timesteps:
            return
        scores = self.evaluator.play(policy_of(self.model, self.normalise))["score"]
        self.points.append((self.num_timesteps, float(scores.mean())))
        print(f"  {self.num_timesteps:>7} steps: {self.points[-1][1]:.3f}", flush=True)

    def _on_training_start(self) -> None:
        self.measure()

    def _on_rollout_end(self) -> None:
        if self.num_timesteps >= self.points[-1][0] + self.every:
            self.measure()

    def _on_step(self) -> bool:
        return True


def train(url: str, steps: int, seed: int, evaluator: Evaluator) -> tuple[Policy, dict]:
    print(f"seed {seed}")
    batch = InfraGymSB3VecEnv(InfraGymVectorEnv(TASK, NUM_ENVS, url, **OPTIONS))
    env = VecNormalize(batch, gamma=GAMMA)
    model = PPO(
        "MlpPolicy",
        env,
        n_steps=64,
        batch_size=256,
        n_epochs=10,
        learning_rate=3e-4,
        gamma=GAMMA,
        seed=seed,
        device="cpu",
    )
    env.seed(seed * NUM_ENVS)  # PPO gave the batch its own: those of runs 0 and 1 overlap
    curve = Curve(evaluator, env, max(1, steps // 40))
    started = time.monotonic()
    model.learn(steps, callback=curve)
    curve.measure()
    seconds = time.monotonic() - started
    batch.close()
    env.training = False
    return policy_of(model, env), {"seed": seed, "seconds": seconds, "curve": curve.points}


def interval(values: np.ndarray) -> float:
    """Half the width of the mean's 95 % confidence interval, by Student's t."""
    n = len(values)
    return float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))


def describe(name: str, results: dict[str, np.ndarray]) -> dict:
    fields = {
        key: {"mean": float(values.mean()), "ci95": interval(values)}
        for key, values in results.items()
    }
    return {"policy": name, **fields}


def draw(runs: list[dict], rows: list[dict], file: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for run in runs:
        steps, scores = zip(*run["curve"], strict=True)
        axes.plot(np.array(steps) / 1000, scores, linewidth=1.5, label=f"PPO, seed {run['seed']}")
    end = max(run["curve"][-1][0] for run in runs) / 1000
    for row in rows[:2]:
        score = row["score"]["mean"]
        axes.axhline(score, color="0.35", linewidth=1, linestyle="--")
        label = f"{row['policy']} {score:.3f}"
        axes.text(end, score + 0.01, label, color="0.35", ha="right", va="bottom")
    axes.set(xlabel="environment steps (thousands)", ylabel=f"mean score of {NUM_ENVS} episodes")
    axes.set(ylim=(0, 1.02), title=f"PPO on {TASK}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(file, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:7860")
    parser.add_argument("--steps", type=int, default=200_000, help="of each training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    curve_evaluator = Evaluator(arguments.url, CURVE_SEED)
    evaluator = Evaluator(arguments.url, HELD_OUT_SEED)
    space = evaluator.env.action_space
    space.seed(0)
    baseline = np.tile(evaluator.env.baseline_action, (NUM_ENVS, 1))
    rows = [
        describe("random", evaluator.play(lambda _: space.sample())),
        describe("baseline", evaluator.play(lambda _: baseline)),
    ]
    runs = []
    for seed in arguments.seeds:
        policy, run = train(arguments.url, arguments.steps, seed, curve_evaluator)
        runs.append(run)
        rows.append(describe(f"PPO, seed {seed}", evaluator.play(policy)))
    arguments.out.mkdir(parents=True, exist_ok=True)
    result = {"task": TASK, "steps": arguments.steps, "policies": rows, "runs": runs}
    (arguments.out / "ppo.json").write_text(json.dumps(result, indent=2) + "\n")
    draw(runs, rows, arguments.out / "ppo.png")
    print("| policy | score | return |\n|---|---|---|")
    for row in rows:
        cells = [f"{row[key]['mean']:.3f} ± {row[key]['ci95']:.3f}" for key in ("score", "return")]
        print(f"| {row['policy']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
