"""PPO of Stable-Baselines3 on serving task 1, through a running server: `ppo.py --steps 50000`."""

import argparse

import numpy as np
from infragym_client import InfraGymEnv
from stable_baselines3 import PPO

TASK = "serving/static-uniform-v1"
MEAN_TPS = (2800.0, 8200.0)  # the two marks of the task's grader


def score(env: InfraGymEnv, model: PPO, seeds: range) -> float:
    """The grader's score by the server's own statistics, a mean over held-out seeds."""
    scores = []
    for seed in seeds:
        observation, info = env.reset(seed=seed)
        ended = False
        while not ended:
            action, _ = model.predict(observation, deterministic=True)
            observation, _, terminated, truncated, info = env.step(action)
            ended = terminated or truncated
        statistics = info["statistics"]
        tps = statistics["tokens_per_sec_sum"] / statistics["length_steps"]
        scores.append(np.clip((tps - MEAN_TPS[0]) / (MEAN_TPS[1] - MEAN_TPS[0]), 0, 1))
    return float(np.mean(scores))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default="http://127.0.0.1:7860")
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    options = {
        "base_url": arguments.url,
        "action_space": "normalised",
        "config": {"normalize_observation": True},
    }
    env = InfraGymEnv(TASK, **options)
    model = PPO("MlpPolicy", env, seed=arguments.seed, device="cpu")
    held_out = range(1_000_000, 1_000_010)
    print(f"before: {score(env, model, held_out):.3f}")
    model.learn(arguments.steps)
    print(f"after {arguments.steps} steps: {score(env, model, held_out):.3f}")


if __name__ == "__main__":
    main()
