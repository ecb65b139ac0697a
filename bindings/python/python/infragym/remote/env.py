"""One environment on a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from ..options import config_of
from ..seeding import fresh_seed, parse_seed
from .batch import DEFAULT_URL, RemoteBatch, entries_of, request_of
from .connection import Reply


class InfraGymEnv(gym.Env[np.ndarray, Any]):
    """One environment of a task, stepped by a server.

    Args:
        task: id or alias, e.g. `serving/static-uniform-v1`.
        base_url: where `infragym serve` listens.
        action_space: `structured`, `normalised` or `discrete` where the task has a choice.
        config: entries of the task's configuration to replace.
        token: the server's bearer token.
        signed_actions: keep the task's own numbers of discrete actions, e.g. -16 .. 16.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(
        self,
        task: str = "serving/static-uniform-v1",
        base_url: str = DEFAULT_URL,
        action_space: str | None = None,
        config: Mapping[str, Any] | None = None,
        token: str | None = None,
        signed_actions: bool = False,
    ):
        request = request_of(task, 1, "disabled")
        self._made = entries_of(config, action_space)
        self._arguments = (base_url, request)
        self._token, self._signed = token, signed_actions
        self._seed: int | None = None
        self._batch = self._connect(self._made)
        self.observation_space = self._batch.observation_space
        self.action_space = self._batch.action_space

    def _connect(self, config: Mapping[str, Any]) -> RemoteBatch:
        base_url, request = self._arguments
        return RemoteBatch(base_url, request, config, self._token, self._signed)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode; arguments as for `infragym.InfraGymEnv.reset`."""
        number = None if seed is None else parse_seed(seed)
        config = config_of(options, ("config",))
        super().reset(seed=number)
        if config is not None:
            batch = self._connect({**self._made, **config})
            self._batch.close()
            self._batch = batch
        if number is None and not self._batch.reply:
            number = fresh_seed() if self._seed is None else self._seed
        if number is not None:
            self._seed = number
        reply = self._batch.reset(None if number is None else [number], None)
        return reply["observations"][0].copy(), self._info(reply)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Takes an action of the action space."""
        reply = self._batch.step(action)
        terminated, truncated = bool(reply["terminated"][0]), bool(reply["truncated"][0])
        info = self._info(reply)
        if terminated or truncated:
            statistics = self._batch.statistics()
            info["statistics"] = {name: float(value[0]) for name, value in statistics.items()}
        observation, reward = reply["observations"][0].copy(), float(reply["rewards"][0])
        return observation, reward, terminated, truncated, info

    def action_masks(self) -> np.ndarray:
        """Which discrete actions are feasible now, bool [n]."""
        self._batch.require_begun()
        if "masks" not in self._batch.reply:
            return np.ones(sum(h - lo + 1 for lo, h in _ranges(self._batch)), bool)
        return self._batch.reply["masks"][0].astype(bool)

    def close(self) -> None:
        """Frees it on the server; dropping it does so too."""
        self._batch.close()

    def _info(self, reply: Reply) -> dict[str, Any]:
        info: dict[str, Any] = {"cost": float(reply["costs"][0])}
        if "masks" in reply:
            info["action_mask"] = reply["masks"][0].astype(np.int8)
        return info


def _ranges(batch: RemoteBatch) -> zip[tuple[int, int]]:
    return zip(batch.rows.low, batch.rows.high, strict=True)
