"""Gymnasium's Env and VectorEnv over a batch connection."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from .connection import BatchConnection
from .spaces import rounding_of, space_of

DEFAULT_URL = "http://127.0.0.1:7860"


def _request(
    task: str,
    num_envs: int,
    autoreset: str,
    action_space: str | None,
    config: dict[str, Any] | None,
) -> dict[str, Any]:
    entries = dict(config or {})
    if action_space is not None:
        entries["action_space"] = action_space
    return {"task_id": task, "num_envs": num_envs, "autoreset": autoreset, "config": entries}


class InfraGymEnv(gym.Env):
    """One environment of a task.

    Args:
        task: id or alias, e.g. ``serving/static-uniform-v1``.
        base_url: where ``infragym serve`` listens.
        action_space: ``structured``, ``normalised`` or ``discrete`` where the task has a choice.
        config: entries of the task's configuration to replace.
        token: the server's bearer token.
    """

    metadata = {"render_modes": []}

    def __init__(
        self,
        task: str = "serving/static-uniform-v1",
        base_url: str = DEFAULT_URL,
        action_space: str | None = None,
        config: dict[str, Any] | None = None,
        token: str | None = None,
    ):
        request = _request(task, 1, "disabled", action_space, config)
        self._batch = BatchConnection(base_url, request, token)
        description = self._batch.description
        self.observation_space = space_of(description["single_observation_space"])
        self.action_space = space_of(description["single_action_space"])
        self._rounding = rounding_of(description["actions"])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        reply = self._batch.reset(seed)
        return reply["observations"][0].copy(), self._info(reply)

    def step(self, action: Any):
        row = np.asarray(action, dtype=np.float64).reshape(1, -1)
        reply = self._batch.step(_rounded(row, self._rounding))
        ended = bool(reply["terminated"][0] or reply["truncated"][0])
        return (
            reply["observations"][0].copy(),
            float(reply["rewards"][0]),
            bool(reply["terminated"][0]),
            bool(reply["truncated"][0]),
            {**self._info(reply), **(self._episode() if ended else {})},
        )

    def close(self) -> None:
        self._batch.close()

    def _info(self, reply: dict[str, np.ndarray]) -> dict[str, Any]:
        info: dict[str, Any] = {"cost": float(reply["costs"][0])}
        if "masks" in reply:
            info["action_mask"] = reply["masks"][0].astype(np.int8)
        return info

    def _episode(self) -> dict[str, Any]:
        statistics = self._batch.statistics()
        return {"statistics": {name: float(value[0]) for name, value in statistics.items()}}


class InfraGymVectorEnv(gym.vector.VectorEnv):
    """Many environments of a task, stepped by one frame; arguments as for ``InfraGymEnv``."""

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        task: str = "serving/static-uniform-v1",
        num_envs: int = 64,
        base_url: str = DEFAULT_URL,
        action_space: str | None = None,
        config: dict[str, Any] | None = None,
        token: str | None = None,
    ):
        request = _request(task, num_envs, "next_step", action_space, config)
        self._batch = BatchConnection(base_url, request, token)
        description = self._batch.description
        self.num_envs = num_envs
        self.single_observation_space = space_of(description["single_observation_space"])
        self.single_action_space = space_of(description["single_action_space"])
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._rounding = rounding_of(description["actions"])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        reply = self._batch.reset(seed)
        return reply["observations"].copy(), self._info(reply)

    def step(self, actions: Any):
        rows = np.asarray(actions).reshape(self.num_envs, -1)
        reply = self._batch.step(_rounded(rows, self._rounding))
        return (
            reply["observations"].copy(),
            reply["rewards"].astype(np.float64),
            reply["terminated"].astype(bool),
            reply["truncated"].astype(bool),
            self._info(reply),
        )

    @property
    def baseline_action(self) -> np.ndarray:
        """The task's fixed baseline, as a row of ``single_action_space``."""
        return np.asarray(self._batch.description["baseline_action"])

    def statistics(self) -> dict[str, np.ndarray]:
        """Statistics of each environment's last finished episode, [num_envs] f64 each."""
        return self._batch.statistics()

    def close_extras(self, **kwargs: Any) -> None:
        self._batch.close()

    def _info(self, reply: dict[str, np.ndarray]) -> dict[str, Any]:
        info: dict[str, Any] = {"cost": reply["costs"].copy()}
        if "masks" in reply:
            info["action_mask"] = reply["masks"].astype(np.int8)
        return info


def _rounded(rows: np.ndarray, rounding: np.ndarray | None) -> np.ndarray:
    """Whole numbers where the server wants them: a Box has no others to offer."""
    return rows if rounding is None else np.where(rounding, np.rint(rows), rows)
