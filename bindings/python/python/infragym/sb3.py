"""Batches as Stable-Baselines3 wants them (which has to be installed: `infragym[sb3]`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

Indices = int | Sequence[int] | None


class InfraGymSB3VecEnv(VecEnv):
    """A batch, here or on a server, whose next episodes begin in the step that ends one.

    Whatever the batch's own autoreset mode: with SAME_STEP the core does it, with the others the
    ended environments are reset by a mask. Episodes may end at different times.

    `env_method("action_masks")` gives the masks, so that sb3-contrib's MaskablePPO takes it as it
    is. Dividing a batch among several is not possible: attributes are the batch's.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]):
        self.env = env
        self._actions: np.ndarray | None = None
        self._is_same_step = env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> np.ndarray:
        seeds = None if all(seed is None for seed in self._seeds) else self._seeds
        self._reset_seeds()
        return self.env.reset(seed=seeds)[0]

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        observations, rewards, terminated, truncated, infos = self.env.step(self._actions)
        ended = terminated | truncated
        costs = infos["cost"].tolist()
        told: list[dict[str, Any]] = [{"cost": cost} for cost in costs]
        if ended.any():
            last = infos["final_obs"] if self._is_same_step else observations.copy()
            for i in np.flatnonzero(ended):
                told[i]["terminal_observation"] = last[i]
                told[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
            if not self._is_same_step:
                # The flags are views that a reset clears.
                ended = ended.copy()
                rewards = rewards.copy()
                observations, _ = self.env.reset(options={"reset_mask": ended})
        return observations, rewards, ended, told

    def close(self) -> None:
        self.env.close()

    def has_attr(self, attr_name: str) -> bool:
        return hasattr(self.env, attr_name)

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        return [getattr(self.env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        raise AttributeError(f"{attr_name} cannot be set: the environments are one batch")

    def env_method(
        self, method_name: str, *args: Any, indices: Indices = None, **kwargs: Any
    ) -> list[Any]:
        if method_name != "action_masks":
            raise AttributeError(f"{method_name} cannot be called: the environments are one batch")
        masks = self.env.action_masks()
        return [masks[i] for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Indices = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]
