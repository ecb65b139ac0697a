"""Gymnasium's ids of all tasks: `autoscaling/easy-v1` is `InfraGym/autoscaling-easy-v1`."""

from __future__ import annotations

from gymnasium.envs import registration

from .bundle import task_id, task_ids

NAMESPACE = "InfraGym"


def gymnasium_id(task: str) -> str:
    """The id under which Gymnasium knows a task; the newest version where none is named."""
    return f"{NAMESPACE}/{task_id(task).replace('/', '-', 1)}"


def register() -> None:
    """Registers every task, once; importing `infragym` calls it.

    `gym.make("infragym:InfraGym/autoscaling-easy-v1")` imports it first.
    """
    for task in task_ids():
        name = gymnasium_id(task)
        if name in registration.registry:
            continue
        registration.register(
            id=name,
            entry_point="infragym.env:InfraGymEnv",
            vector_entry_point="infragym.vector_env:InfraGymVectorEnv",
            kwargs={"task": task},
        )
