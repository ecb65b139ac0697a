"""One environment of a task, with Gymnasium's meanings."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from os import PathLike
from typing import Any

import gymnasium as gym
import numpy as np

from . import policies
from .batch import Batch
from .bundle import Bundle, bundle_of
from .graders import Grade, grade
from .options import config_of
from .report import describe_step
from .seeding import fresh_seed, parse_seed
from .spaces import space_of


class InfraGymEnv(gym.Env[np.ndarray, Any]):
    """A single environment, stepped in this process.

    Args:
        task: an id (`autoscaling/easy-v1`), an alias, a bundle or a bundle's file.
        config: entries of the task's configuration to replace; the npm package compiles them.
        action_space: `structured`, `normalised` or `discrete`, where a task has the choice.
        signed_actions: keep the task's own numbers of discrete actions, e.g. -16 .. 16; otherwise
            they begin at 0, which is what learners count on.
        infos: report of every step what it measured, as Node's `info` does.
        kernel: which kernel of the core steps; all give the same bits.
        render_mode: None; there is nothing to render.

    `info["cost"]` is the step's constraint cost; `info["action_mask"]` (int8) says which discrete
    actions are feasible, where the task has masks; after an episode's last step
    `info["statistics"]` has its statistics. An environment whose first reset has no seed draws a
    fresh one; later resets without a seed go on to the next episode.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(
        self,
        task: str | PathLike[str] | Bundle = "autoscaling/easy-v1",
        *,
        config: Mapping[str, Any] | None = None,
        action_space: str | None = None,
        signed_actions: bool = False,
        infos: bool = False,
        kernel: str = "auto",
        render_mode: str | None = None,
    ):
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}: None is needed, nothing is drawn")
        self.render_mode = None
        self._signed = bool(signed_actions)
        self._kernel = kernel
        self._infos = bool(infos)
        self._made = bundle_of(task, config, action_space)
        self._seed: int | None = None
        self._load(self._made)
        description = self.bundle.description
        self.observation_space = space_of(description["observation_space"])
        self.action_space = space_of(description["action_row_space"], self._signed)

    def _load(self, bundle: Bundle) -> None:
        """Takes a bundle's program in place of the one there is."""
        batch = Batch(bundle, 1, "disabled", self._infos, 1, self._kernel, self._signed)
        self._batch = batch
        self._step = batch.core.step_one
        self._running = False
        self._masks = batch.arrays["masks"].view(np.int8) if batch.arrays["masks"].size else None
        self._is_plain = self._masks is None and not self._infos

    @property
    def bundle(self) -> Bundle:
        """The task it plays."""
        return self._batch.bundle

    @property
    def episode_seed(self) -> int | None:
        """The seed of the running episode's history; None before the first reset."""
        return self._seed

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode: the first of a seed, or the next one.

        Args:
            seed: 0 .. 2^64 - 1. The first reset without one draws a fresh seed.
            options: `config` replaces entries of the configuration from this episode on, an empty
                one takes them back; without a seed its first episode is the one of the seed before.

        Raises:
            ValueError: for a seed that is negative or too large, an unknown option, and whatever
                the family refuses in a configuration; the environment then is as it was.
        """
        batch = self._batch
        batch.require_open()
        number = None if seed is None else parse_seed(seed)
        config = config_of(options, ("config",))
        super().reset(seed=number)
        if config is not None:
            self._load(bundle_of(self._made, config))
            batch = self._batch
        if number is None and not batch.has_begun:
            number = fresh_seed() if self._seed is None else self._seed
        if number is not None:
            self._seed = number
        batch.reset(None if number is None else [number], None)
        self._running = True
        return batch.arrays["observations"][0].copy(), self._complete({"cost": 0.0})

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Takes an action of the action space.

        Raises:
            ValueError: naming the field of an action that is refused, a NaN among them.
            gymnasium.error.ResetNeeded: before the first reset and after an episode's end.
        """
        if not self._running:
            self._batch.require_begun()
            self._batch.require_unfinished()
        result = self._step(action)
        if result[2] or result[3]:
            self._running = False
            result[4]["statistics"] = self.episode_statistics()
        if self._is_plain:
            return result
        self._complete(result[4])
        return result

    def _complete(self, info: dict[str, Any]) -> dict[str, Any]:
        """Adds the mask and, where it is wanted, the step's report."""
        if self._masks is not None:
            info["action_mask"] = self._masks[0].copy()
        if self._infos:
            arrays = self._batch.arrays
            rows = {"metrics": "metrics", "observation": "observations", "action": "actions"}
            given = {name: arrays[channel][0] for name, channel in rows.items()}
            info.update(describe_step(self.bundle.description["report"], given))
        return info

    def action_masks(self) -> np.ndarray:
        """Which discrete actions are feasible now, bool [n]; what MaskablePPO asks for."""
        self._batch.require_begun()
        if self._masks is None:
            count = policies.policy_rows(self.bundle)
            return np.ones(count, bool)
        return self._masks[0].astype(bool)

    def episode_statistics(self) -> dict[str, float] | None:
        """Statistics of the last finished episode, or None."""
        row = self._batch.statistics_rows()[0]
        statistics = dict(zip(self.bundle.statistics_names, row.tolist(), strict=True))
        return statistics if statistics["length_steps"] > 0 else None

    def grade(self) -> Grade:
        """Grades the last finished episode, as Node's grader does."""
        statistics = self.episode_statistics()
        if statistics is None:
            raise gym.error.ResetNeeded("no episode has finished: play one to its end first")
        # The state's first words: the seed's two, then the episode's number.
        seed, episode = struct.unpack_from("<QI", self._batch.core.export_state())
        return grade(self.bundle, statistics, seed=seed, episode=episode)

    def rollout(self, policy: policies.CorePolicy, steps: int) -> None:
        """Up to `steps` steps of this episode under a policy of the core."""
        self._batch.rollout(policy, steps)
        ended = self._batch.arrays["terminated"][0] | self._batch.arrays["truncated"][0]
        self._running = not ended

    def snapshot(self) -> bytes:
        """State and last outputs; `restore` here and in Node takes them."""
        return self._batch.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Goes on from a snapshot of the same task and configuration.

        Raises:
            SnapshotError: naming what is wrong with it; the environment then goes on as it was.
        """
        self._batch.restore(snapshot)
        self._running = not self._batch.core.count_finished()

    def digest(self) -> str:
        """16 hex digits that name state and last outputs exactly; equal to Node's."""
        return self._batch.digest()

    def close(self) -> None:
        """Frees it; a second call does nothing, any other use afterwards is refused."""
        self._running = False
        self.__dict__.pop("_step", None)
        self._masks = None
        self._batch.close()

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        batch: Batch = state.pop("_batch")
        for name in ("_step", "_masks", "_running"):
            state.pop(name, None)
        begun = batch.has_begun and not batch.is_closed
        return {
            **state,
            "_saved": (batch.bundle, batch.snapshot() if begun else None, batch.is_closed),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        bundle, snapshot, is_closed = state.pop("_saved")
        self.__dict__.update(state)
        self._load(bundle)
        if snapshot is not None:
            self.restore(snapshot)
        if is_closed:
            self.close()


def make(task: str | PathLike[str] | Bundle, **arguments: Any) -> InfraGymEnv:
    """Makes a single environment without Gymnasium's wrappers; arguments as `InfraGymEnv`."""
    return InfraGymEnv(task, **arguments)
