"""PPO of RLlib: runners as Ray actors, each with environments of its own.

`rllib_ppo.py --iterations 5 --runners 2` prints the mean return after every iteration.
"""

from __future__ import annotations

import argparse

import ray
from infragym.ray import register_envs
from infragym.registration import gymnasium_id
from ray.rllib.algorithms.ppo import PPO, PPOConfig


def build(task: str, runners: int, seed: int = 0, batched: bool = False) -> PPO:
    """An algorithm whose runners step `task`.

    Args:
        batched: step a runner's environments as one batch of the core.
    """
    register_envs()
    vectorize = "vector_entry_point" if batched else "sync"
    config = (
        PPOConfig()
        .environment(gymnasium_id(task))
        .env_runners(
            num_env_runners=runners,
            num_envs_per_env_runner=8,
            rollout_fragment_length=64,
            gym_env_vectorize_mode=vectorize,
        )
        .fault_tolerance(restart_failed_env_runners=True)
        .learners(num_learners=0)
        .training(train_batch_size=2048, minibatch_size=512, num_epochs=4, lr=1e-3, gamma=0.99)
        .debugging(seed=seed)
    )
    return config.build_algo()


def mean_return(result: dict) -> float:
    """Of the episodes that ended lately."""
    return float(result["env_runners"]["episode_return_mean"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="autoscaling/easy")
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--runners", type=int, default=2)
    arguments = parser.parse_args()
    algorithm = build(arguments.task, arguments.runners)
    for _ in range(arguments.iterations):
        print(f"{mean_return(algorithm.train()):.2f}")
    algorithm.stop()
    ray.shutdown()
