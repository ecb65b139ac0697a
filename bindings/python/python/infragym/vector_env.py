"""Many environments of one task, stepped together: Gymnasium's vector environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from . import policies
from .batch import Batch
from .bundle import Bundle, bundle_of
from .graders import Grade, grade
from .options import MODES, mask_of, mode_of, seeds_of, with_fresh
from .report import describe_step
from .spaces import space_of

Step = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


class InfraGymVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """A batch of environments, stepped in this process by one call.

    Environment i of a batch reset with seed s is, bit for bit, the single environment reset with
    seed s + i, with any number of threads, in Python as in Node.

    Args:
        task: an id (`autoscaling/easy-v1`), an alias, a bundle or a bundle's file.
        num_envs: environments, 1 .. 2^24.
        autoreset_mode: what follows an episode's last step: Gymnasium's NEXT_STEP, SAME_STEP or
            DISABLED, or their names in lower case.
        copy: False returns read-only views of the core's memory, which the next step overwrites.
        infos: report metrics in every step and statistics where episodes end, as arrays by name.
        threads: threads that step the batch; the bits do not depend on them.
        config, action_space, signed_actions, kernel: as for `InfraGymEnv`.

    `infos["cost"]` are the step's constraint costs, `infos["action_mask"]` (int8 [num_envs, n])
    says which discrete actions are feasible, where the task has masks. With SAME_STEP
    `infos["final_obs"]` and `infos["final_info"]` are the ended episodes'. Rewards are f32.
    """

    def __init__(
        self,
        task: str | PathLike[str] | Bundle = "autoscaling/easy-v1",
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        infos: bool = False,
        threads: int = 1,
        config: Mapping[str, Any] | None = None,
        action_space: str | None = None,
        signed_actions: bool = False,
        kernel: str = "auto",
        render_mode: str | None = None,
    ):
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}: None is needed, nothing is drawn")
        mode = mode_of(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": mode}
        self.copy = bool(copy)
        self._made = bundle_of(task, config, action_space)
        self._options: dict[str, Any] = {
            "num_envs": num_envs,
            "autoreset": MODES[mode],
            "metrics": bool(infos),
            "threads": threads,
            "kernel": kernel,
            "signed": bool(signed_actions),
        }
        self._load(self._made)
        description = self.bundle.description
        self.num_envs = self._batch.num_envs
        self.single_observation_space = space_of(description["observation_space"])
        self.single_action_space = space_of(description["action_row_space"], bool(signed_actions))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def _load(self, bundle: Bundle) -> None:
        """Takes a bundle's program in place of the one there is."""
        self._batch = Batch(bundle, **self._options)
        arrays = self._batch.arrays
        views = {name: arrays[name].view() for name in ("observations", "rewards", "costs")}
        views |= {name: arrays[name].view(np.bool_) for name in ("terminated", "truncated")}
        if arrays["masks"].size:
            views["masks"] = arrays["masks"].view(np.int8)
        for view in views.values():
            view.flags.writeable = False
        self._views = views
        self._all = np.ones(self._batch.num_envs, bool)
        self._all.flags.writeable = False
        self._is_same_step = self._batch.autoreset == "same_step"
        self._is_disabled = self._batch.autoreset == "disabled"

    @property
    def bundle(self) -> Bundle:
        """The task it plays."""
        return self._batch.bundle

    @property
    def kernel(self) -> str:
        """The kernel that steps it, e.g. `avx2`."""
        return self._batch.core.kernel

    @property
    def episodes(self) -> int:
        """Episodes that ended since the batch was made."""
        self._batch.require_open()
        return self._batch.core.episodes

    @property
    def actions(self) -> np.ndarray:
        """The core's rows of actions [num_envs, action_dim], in the program's own numbers.

        Write into them and call `step()` without actions to pass nothing at all; what is written
        is not checked: the core clips real numbers and takes an index outside its range as the
        nearest one.
        """
        self._batch.require_open()
        return self._batch.arrays["actions"]

    @property
    def costs(self) -> np.ndarray:
        """f32 [num_envs], constraint costs of the last step; a read-only view."""
        self._batch.require_open()
        return self._views["costs"]

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode in every environment, or where a mask is set.

        Args:
            seed: environment i takes seed + i, or the i-th of a list. The first reset without one
                draws a fresh seed; later ones go on to each environment's next episode.
            options: `reset_mask`, bool [num_envs], begins only where it is True; `config` replaces
                entries of the configuration from this episode on, an empty one takes them back.

        Raises:
            ValueError: for a seed or a mask that is none and for a configuration that is refused.
        """
        batch = self._batch
        batch.require_open()
        mask = mask_of(options, batch.num_envs)
        config = (options or {}).get("config")
        if mask is not None and (not batch.has_begun or config is not None):
            raise ValueError("options['reset_mask']: reset the whole batch first")
        seeds = seeds_of(seed, batch.num_envs)
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
        if config is not None:
            self._load(bundle_of(self._made, config))
            batch = self._batch
        if not batch.has_begun:
            seeds = with_fresh(seeds, batch.num_envs)
        batch.reset(seeds, mask)
        return self._observe(), self._infos(0)

    def step(self, actions: np.ndarray | Sequence[Any] | None = None) -> Step:
        """Steps every environment.

        Args:
            actions: [num_envs] or [num_envs, action_dim]; None takes what is in `self.actions`.

        Raises:
            ValueError: naming environment and field of an action that is refused, a NaN among
                them; nothing has been stepped then.
            gymnasium.error.ResetNeeded: before the first reset, and with DISABLED where an
                environment has finished.
        """
        batch = self._batch
        if not batch.has_begun or batch.is_closed:
            batch.require_begun()
        if self._is_disabled:
            batch.require_unfinished()
        if actions is None:
            ended = batch.core.step()
        elif type(actions) is np.ndarray:
            ended = batch.core.step_with(actions)
        else:
            ended = batch.core.step_with(np.asarray(actions))
        views = self._views
        infos = self._infos(ended)
        if self.copy:
            return (
                views["observations"].copy(),
                views["rewards"].copy(),
                views["terminated"].copy(),
                views["truncated"].copy(),
                infos,
            )
        return (
            views["observations"],
            views["rewards"],
            views["terminated"],
            views["truncated"],
            infos,
        )

    def _observe(self) -> np.ndarray:
        view = self._views["observations"]
        return view.copy() if self.copy else view

    def _infos(self, ended: int) -> dict[str, Any]:
        """A step's infos, Gymnasium's way: arrays by name and flags of who has them by `_name`."""
        costs = self._views["costs"]
        infos: dict[str, Any] = {"cost": costs.copy() if self.copy else costs, "_cost": self._all}
        masks = self._views.get("masks")
        if masks is not None:
            infos["action_mask"] = masks.copy() if self.copy else masks
            infos["_action_mask"] = self._all
        if self._batch.metrics:
            columns = self._batch.arrays["metrics"].T.copy()
            infos["metrics"] = self._by_name(self.bundle.metrics_names, columns, self._all)
            infos["_metrics"] = self._all
        if ended > 0 and (self._is_same_step or self._batch.metrics):
            self._add_final(infos)
        return infos

    def _add_final(self, infos: dict[str, Any]) -> None:
        """What is told of the episodes that this step ended."""
        flags = self._views["terminated"] | self._views["truncated"]
        final = infos
        if self._is_same_step:
            which = np.flatnonzero(flags)
            rows = np.full(self.num_envs, None, dtype=object)
            for i, row in zip(which, self._batch.arrays["final_observations"][which], strict=True):
                rows[i] = row
            final = {"cost": np.where(flags, self._views["costs"], 0), "_cost": flags}
            infos |= {"final_obs": rows, "_final_obs": flags}
            infos |= {"final_info": final, "_final_info": flags}
        if self._batch.metrics:
            columns = np.where(flags, self._batch.statistics_rows().T, 0)
            final["statistics"] = self._by_name(self.bundle.statistics_names, columns, flags)
            final["_statistics"] = flags

    @staticmethod
    def _by_name(names: Sequence[str], columns: np.ndarray, flags: np.ndarray) -> dict[str, Any]:
        by_name: dict[str, Any] = {}
        for name, column in zip(names, columns, strict=True):
            by_name[name] = column
            by_name[f"_{name}"] = flags
        return by_name

    def report(self, i: int) -> dict[str, Any]:
        """What Node's `info(i)` says of environment i's last step. Needs `infos=True`."""
        self._batch.require_begun()
        if not self._batch.metrics:
            raise ValueError("infos is False: make the batch with infos=True")
        arrays = self._batch.arrays
        rows = {"metrics": "metrics", "observation": "observations", "action": "actions"}
        given = {name: arrays[channel][i] for name, channel in rows.items()}
        report = describe_step(self.bundle.description["report"], given)
        masks = self._views.get("masks")
        return report if masks is None else {**report, "action_mask": masks[i].tolist()}

    def action_masks(self) -> np.ndarray:
        """Which discrete actions are feasible now, bool [num_envs, n]."""
        self._batch.require_begun()
        masks = self._views.get("masks")
        if masks is None:
            return np.ones((self.num_envs, policies.policy_rows(self.bundle)), bool)
        return masks.astype(bool)

    def statistics(self) -> dict[str, np.ndarray]:
        """Statistics of each environment's last finished episode, f64 [num_envs] by name.

        `length_steps` is 0 where no episode has finished.
        """
        self._batch.require_open()
        columns = self._batch.statistics_rows().T.copy()
        return dict(zip(self.bundle.statistics_names, columns, strict=True))

    def grade(self, i: int, seed: int, episode: int = 0) -> Grade:
        """Grades environment i's last finished episode, which seed and episode number name."""
        self._batch.require_open()
        row = self._batch.statistics_rows()[i].tolist()
        statistics = dict(zip(self.bundle.statistics_names, row, strict=True))
        return grade(self.bundle, statistics, seed=seed, episode=episode)

    def rollout(self, policy: policies.CorePolicy, steps: int) -> Step:
        """Many steps in one call under a policy of the core; results as of its last step.

        Args:
            policy: `constant` (what is in `actions`), `random`, one of the task's heuristics, or a
                `LinearPolicy` or `TabularPolicy`.
            steps: how many.
        """
        self._batch.rollout(policy, steps)
        views = [self._views[n] for n in ("observations", "rewards", "terminated", "truncated")]
        out = [view.copy() for view in views] if self.copy else views
        return out[0], out[1], out[2], out[3], self._infos(0)

    def record(
        self,
        policy: policies.CorePolicy,
        steps: int,
        arrays: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        """`rollout` that keeps what a learner wants of every step.

        Args:
            arrays: where to write, each [steps, num_envs, ...]; new arrays of everything without.

        Returns:
            The arrays: `observations` and `masks` that the policy acted on, `actions` in the
            program's own numbers, `rewards`, `costs`, `terminated`, `truncated`.
        """
        return self._batch.record(policy, steps, arrays)

    def snapshot(self) -> bytes:
        """State and last outputs; `restore` here and in Node takes them."""
        return self._batch.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Goes on from a snapshot of the same task, number of environments, autoreset and infos.

        Raises:
            SnapshotError: naming what is wrong with it; the batch then goes on as it was.
        """
        self._batch.restore(snapshot)

    def digest(self) -> str:
        """16 hex digits that name state and last outputs exactly; equal to Node's."""
        return self._batch.digest()

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the batch; any other use afterwards is refused."""
        self._views = {}
        # Gymnasium closes what is dropped, also what was refused before it had a batch.
        if hasattr(self, "_batch"):
            self._batch.close()

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        batch: Batch = state.pop("_batch")
        for name in ("_views", "_all"):
            del state[name]
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
            self.close_extras()


def make_vec(
    task: str | PathLike[str] | Bundle, num_envs: int = 1, **arguments: Any
) -> InfraGymVectorEnv:
    """Makes a batch without Gymnasium's wrappers; arguments as `InfraGymVectorEnv`."""
    return InfraGymVectorEnv(task, num_envs, **arguments)
