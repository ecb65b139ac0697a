"""Many environments on a server, stepped by one frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ..options import MODES, mask_of, mode_of, seeds_of, with_fresh
from .batch import DEFAULT_URL, RemoteBatch, entries_of, request_of
from .connection import Reply

Step = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


class InfraGymVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many environments of a task, stepped by a server.

    Args:
        num_envs: environments.
        autoreset_mode: Gymnasium's NEXT_STEP, SAME_STEP or DISABLED, or their names in lower case.
        threads: threads of the server that step the batch.
        task, base_url, action_space, config, token, signed_actions: as for `InfraGymEnv`.
    """

    def __init__(
        self,
        task: str = "serving/static-uniform-v1",
        num_envs: int = 64,
        base_url: str = DEFAULT_URL,
        action_space: str | None = None,
        config: Mapping[str, Any] | None = None,
        token: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        signed_actions: bool = False,
        threads: int = 1,
    ):
        mode = mode_of(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": mode}
        self._made = entries_of(config, action_space)
        self._arguments = (base_url, request_of(task, num_envs, MODES[mode], threads))
        self._token, self._signed = token, signed_actions
        self._batch = self._connect(self._made)
        self.num_envs = self._batch.num_envs
        self.single_observation_space = self._batch.observation_space
        self.single_action_space = self._batch.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._all = np.ones(num_envs, bool)

    def _connect(self, config: Mapping[str, Any]) -> RemoteBatch:
        base_url, request = self._arguments
        return RemoteBatch(base_url, request, config, self._token, self._signed)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins episodes; arguments as for `infragym.InfraGymVectorEnv.reset`."""
        mask = mask_of(options, self.num_envs)
        config = (options or {}).get("config")
        seeds = seeds_of(seed, self.num_envs)
        if mask is not None and (not self._batch.reply or config is not None):
            raise ValueError("options['reset_mask']: reset the whole batch first")
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
        if config is not None:
            batch = self._connect({**self._made, **config})
            self._batch.close()
            self._batch = batch
        if not self._batch.reply:
            seeds = with_fresh(seeds, self.num_envs)
        reply = self._batch.reset(seeds, mask)
        return reply["observations"].copy(), self._infos(reply)

    def step(self, actions: Any) -> Step:
        """Steps every environment; rewards are f32."""
        reply = self._batch.step(actions)
        terminated, truncated = reply["terminated"].astype(bool), reply["truncated"].astype(bool)
        infos = self._infos(reply)
        ended = terminated | truncated
        if "final_observations" in reply and ended.any():
            rows = np.full(self.num_envs, None, dtype=object)
            for i in np.flatnonzero(ended):
                rows[i] = reply["final_observations"][i].copy()
            final = {"cost": np.where(ended, reply["costs"], 0), "_cost": ended}
            infos |= {"final_obs": rows, "_final_obs": ended}
            infos |= {"final_info": final, "_final_info": ended}
        return reply["observations"].copy(), reply["rewards"].copy(), terminated, truncated, infos

    @property
    def baseline_action(self) -> np.ndarray:
        """The task's fixed baseline, as a row of `single_action_space`."""
        row = np.asarray(self._batch.connection.description["baseline_action"])
        return row - np.array(self._batch.rows.shift) if self._batch.rows.is_index else row

    def action_masks(self) -> np.ndarray:
        """Which discrete actions are feasible now, bool [num_envs, n], where there are masks."""
        self._batch.require_begun()
        return self._batch.reply["masks"].astype(bool)

    def statistics(self) -> dict[str, np.ndarray]:
        """Statistics of each environment's last finished episode, [num_envs] f64 each."""
        return self._batch.statistics()

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the batch on the server; dropping it does so too."""
        # Gymnasium closes what is dropped, also what was refused before it had a batch.
        if hasattr(self, "_batch"):
            self._batch.close()

    def _infos(self, reply: Reply) -> dict[str, Any]:
        infos: dict[str, Any] = {"cost": reply["costs"].copy(), "_cost": self._all}
        if "masks" in reply:
            infos |= {"action_mask": reply["masks"].astype(np.int8), "_action_mask": self._all}
        return infos
