"""A batch as a vectorised environment of Stable-Baselines3 (which has to be installed)."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from .envs import InfraGymVectorEnv


class InfraGymSB3VecEnv(VecEnv):
    """``InfraGymVectorEnv`` for SB3, which wants the next episode in the step that ends one.

    The server begins it in the step after. Where all episodes have the same length, that is one
    step more for the whole batch, taken here; tasks whose episodes end at different times are
    refused when they first do so.
    """

    def __init__(self, env: InfraGymVectorEnv):
        self.env = env
        self._actions: np.ndarray | None = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> np.ndarray:
        seed = None if self._seeds[0] is None else int(self._seeds[0])
        self._reset_seeds()
        return self.env.reset(seed=seed)[0]

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self):
        observations, rewards, terminated, truncated, _ = self.env.step(self._actions)
        ended = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if ended.any():
            if not ended.all():
                raise RuntimeError("episodes end at different times: SB3 needs them to be as long")
            for i, info in enumerate(infos):
                info["terminal_observation"] = observations[i]
                info["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
            # Actions of this step are ignored: it begins the next episodes.
            observations, *_ = self.env.step(self._actions)
        return observations, rewards.astype(np.float32), ended, infos

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices=None) -> list[Any]:
        return [getattr(self.env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices=None) -> None:
        raise AttributeError(f"{attr_name} cannot be set: the environments are on the server")

    def env_method(self, method_name: str, *args: Any, indices=None, **kwargs: Any) -> list[Any]:
        raise AttributeError(f"{method_name} cannot be called: the environments are on the server")

    def env_is_wrapped(self, wrapper_class, indices=None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]
