"""Environments for RLlib: creators of single environments and of batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..bundle import task_ids
from ..env import InfraGymEnv
from ..registration import gymnasium_id
from ..vector_env import InfraGymVectorEnv


def env_creator(config: Mapping[str, Any]) -> InfraGymEnv | InfraGymVectorEnv:
    """Makes what an `env_config` describes: `task` and whatever `InfraGymEnv` takes.

    With `num_envs`, which RLlib adds where `gym_env_vectorize_mode` is `vector_entry_point`, a
    batch of the core.
    """
    return vector_env_creator(config) if "num_envs" in config else InfraGymEnv(**dict(config))


def vector_env_creator(config: Mapping[str, Any]) -> InfraGymVectorEnv:
    """Makes a batch: `task`, `num_envs` and whatever `InfraGymVectorEnv` takes."""
    return InfraGymVectorEnv(**dict(config))


def register_envs() -> list[str]:
    """Makes every task known to RLlib by its Gymnasium id, on whichever node a runner starts.

    Returns:
        The ids, e.g. `InfraGym/autoscaling-easy-v1`, for `config.environment(id)`.
    """
    from ray.tune.registry import register_env

    names = []
    for task in task_ids():
        name = gymnasium_id(task)
        register_env(name, lambda config, task=task: env_creator({"task": task, **config}))
        names.append(name)
    return names
