"""A batch of the core with its arrays and its life: what both kinds of environment share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded

from . import policies, snapshot
from ._generated import AUTORESET_MODES, CHANNELS, KERNELS
from .bundle import Bundle
from .seeding import reset_groups
from .spaces import ActionRows

NUM_ENVS_MAX = 2**24
THREADS_MAX = 256

#: Channels that can be recorded, in the core's order, with their types.
RECORDED = {
    "observations": np.float32,
    "masks": np.uint8,
    "actions": None,
    "rewards": np.float32,
    "costs": np.float32,
    "terminated": np.uint8,
    "truncated": np.uint8,
}


class Batch:
    """Environments of one task, stepped together by the core.

    Attributes:
        arrays: the core's own memory by the channels' names, [num_envs, ...].
        rows: what actions may be.
    """

    def __init__(
        self,
        bundle: Bundle,
        num_envs: int,
        autoreset: str,
        metrics: bool = False,
        threads: int = 1,
        kernel: str = "auto",
        signed: bool = False,
    ):
        _check_integer("num_envs", num_envs, NUM_ENVS_MAX)
        _check_integer("threads", threads, THREADS_MAX)
        _check_choice("autoreset_mode", autoreset, AUTORESET_MODES)
        _check_choice("kernel", kernel, KERNELS)
        self.bundle = bundle
        self.num_envs = int(num_envs)
        self.autoreset = autoreset
        self.metrics = bool(metrics)
        self.threads = int(threads)
        self.kernel_choice = kernel
        self.rows = ActionRows(bundle.description, signed)
        self.core = bundle.task(self.metrics).batch(
            self.num_envs,
            AUTORESET_MODES.index(autoreset),
            self.threads,
            KERNELS.index(kernel),
            self.rows,
        )
        self.arrays: dict[str, np.ndarray] = {
            name: self.core.channel(index) for index, name in enumerate(CHANNELS)
        }
        self.has_begun = False
        self.is_closed = False

    def require_open(self) -> None:
        """Refuses a call on a closed environment."""
        if self.is_closed:
            raise ClosedEnvironmentError("the environment is closed: make another one")

    def require_begun(self) -> None:
        """Refuses a call before the first reset."""
        if self.is_closed or not self.has_begun:
            self.require_open()
            raise ResetNeeded("the environment has not begun: call reset() first")

    def require_unfinished(self) -> None:
        """Refuses a step where an environment has finished and none begins its next episode."""
        ended = self.arrays["terminated"] | self.arrays["truncated"]
        if not ended.any():
            return
        i = int(np.argmax(ended))
        which = "the environment" if self.num_envs == 1 else f"environment {i}"
        raise ResetNeeded(f"{which} has finished its episode: call reset() to begin the next one")

    def reset(self, seeds: Sequence[int | None] | None, mask: np.ndarray | None) -> None:
        """Begins an episode everywhere or where the mask is set.

        Args:
            seeds: of every environment; None goes on to the next episode.
            mask: bool [num_envs].
        """
        self.require_open()
        flags = self.arrays["reset_mask"]
        chosen = np.ones(self.num_envs, bool) if mask is None else mask
        for first, group in reset_groups(seeds, chosen):
            is_masked = not group.all()
            flags[...] = group
            self.core.reset(first, is_masked)
            if first is not None:
                # A seed begins a new history: nothing of the former one may show in digests.
                self.arrays["final_observations"][group] = 0
                self.arrays["final_statistics"][group] = 0
        self.has_begun = True

    def rollout(self, policy: policies.CorePolicy, steps: int) -> None:
        """`steps` steps under a policy of the core."""
        number = self._prepare(policy, steps)
        self.core.rollout(number, steps)

    def record(
        self, policy: policies.CorePolicy, steps: int, arrays: Mapping[str, np.ndarray] | None
    ) -> dict[str, np.ndarray]:
        """`rollout` that keeps every step in arrays [steps, num_envs, ...]."""
        number = self._prepare(policy, steps)
        taken = self._recording(steps, arrays)
        flat = [_bytes_of(taken.get(name)) for name in RECORDED]
        self.core.record(number, steps, flat)
        return taken

    def _prepare(self, policy: policies.CorePolicy, steps: int) -> int:
        self.require_begun()
        _check_integer("steps", steps, 2**32 - 1, least=0)
        number, words = policies.encode(self.bundle, policy)
        if self.autoreset == "disabled":
            self.require_unfinished()
        if words is not None and not self.core.set_parameters(words):
            raise ValueError("policy is not of this task")
        return number

    def _recording(
        self, steps: int, arrays: Mapping[str, np.ndarray] | None
    ) -> dict[str, np.ndarray]:
        shapes = {name: (steps, *self.arrays[name].shape) for name in RECORDED}
        types = {name: self.arrays[name].dtype for name in RECORDED}
        if arrays is None:
            return {name: np.zeros(shapes[name], types[name]) for name in RECORDED}
        for name, array in arrays.items():
            if name not in RECORDED:
                raise ValueError(f"arrays[{name!r}] is unknown: {', '.join(RECORDED)} are known")
            is_right = isinstance(array, np.ndarray) and array.dtype == types[name]
            if not is_right or array.shape != shapes[name] or not array.flags.c_contiguous:
                needed = f"a contiguous array {shapes[name]} of {types[name]}"
                raise ValueError(f"arrays[{name!r}]: {needed} is needed")
        if any(np.shares_memory(a, self.arrays[name]) for name, a in arrays.items()):
            raise ValueError("arrays share memory with the environment's own")
        return dict(arrays)

    def statistics_rows(self) -> np.ndarray:
        """Statistics of each environment's last finished episode, f64 [num_envs, names]."""
        return self.arrays["final_statistics"]

    def snapshot(self) -> bytes:
        """State and last outputs; see `infragym.snapshot`."""
        self.require_begun()
        return snapshot.encode(self)

    def restore(self, data: bytes) -> None:
        """Takes what `snapshot` gave."""
        self.require_open()
        snapshot.restore(self, data)
        self.has_begun = True

    def digest(self) -> str:
        """16 hex digits that name state and last outputs exactly; equal to Node's."""
        self.require_begun()
        content = self.core.export_state() + snapshot.output_bytes(self)
        return hashlib.sha256(content).hexdigest()[:16]

    def close(self) -> None:
        """Lets go of the batch; its memory is freed when no array looks at it any more."""
        if self.is_closed:
            return
        self.is_closed = True
        del self.core
        self.arrays = {}


def _bytes_of(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None else array.reshape(-1).view(np.uint8)


def _check_integer(name: str, value: Any, most: int, least: int = 1) -> None:
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if is_integer and least <= value <= most:
        return
    raise ValueError(f"{name} is {value!r}: an integer from {least} to {most} is needed")


def _check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is {value!r}: one of {', '.join(choices)} is needed")
