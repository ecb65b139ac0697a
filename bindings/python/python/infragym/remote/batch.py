"""A batch on a server with its life: what both remote environments share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded

from ..seeding import reset_groups
from ..spaces import ActionRows, space_of
from .connection import BatchConnection, Reply

DEFAULT_URL = "http://127.0.0.1:7860"


class RemoteBatch:
    """A batch, its spaces and what it gave last.

    Args:
        request: what `POST /vec` takes but the configuration.
        config: entries of the task's configuration to replace.
        signed: whether discrete actions keep the task's own numbers.
    """

    def __init__(
        self,
        base_url: str,
        request: dict[str, Any],
        config: Mapping[str, Any],
        token: str | None,
        signed: bool,
    ):
        self.connection = BatchConnection(base_url, {**request, "config": dict(config)}, token)
        description = self.connection.description
        self.num_envs: int = description["num_envs"]
        self.observation_space = space_of(description["single_observation_space"])
        self.action_space = space_of(description["single_action_space"], signed)
        kinds = {action["kind"] for action in description["actions"]}
        dtype = "index" if kinds == {"index"} else "real"
        self.rows = ActionRows({**description, "action_dtype": dtype}, signed)
        whole = [action["kind"] in ("integer", "choice") for action in description["actions"]]
        self._whole = np.array(whole)
        self.reply: Reply = {}

    @property
    def is_disabled(self) -> bool:
        """Whether nobody begins the next episode."""
        return self.connection.description["autoreset"] == "disabled"

    def reset(self, seeds: Sequence[int | None] | None, mask: np.ndarray | None) -> Reply:
        """Begins an episode everywhere, or where the mask is set."""
        chosen = np.ones(self.num_envs, bool) if mask is None else mask
        for first, group in reset_groups(seeds, chosen):
            is_whole = bool(group.all())
            self.reply = self.connection.reset(first, None if is_whole else group)
        return self.reply

    def step(self, actions: Any) -> Reply:
        """Checks a batch of actions, then steps."""
        self.require_begun()
        if self.is_disabled:
            ended = self.reply["terminated"] | self.reply["truncated"]
            if ended.any():
                which = "the environment" if self.num_envs == 1 else f"environment {ended.argmax()}"
                raise ResetNeeded(f"{which} has finished its episode: call reset() first")
        self.reply = self.connection.step(self._checked(actions))
        return self.reply

    def require_begun(self) -> None:
        """Refuses a call before the first reset."""
        if not self.reply:
            raise ResetNeeded("the environment has not begun: call reset() first")

    def _checked(self, actions: Any) -> np.ndarray:
        """Rows as the server takes them.

        Raises:
            ValueError: naming environment and field of an action that is refused.
        """
        try:
            rows = np.asarray(actions, dtype=np.float64).reshape(self.num_envs, -1)
        except (TypeError, ValueError) as error:
            raise ValueError(f"actions are no numbers of {self.num_envs} rows: {error}") from error
        if rows.shape[1] != len(self.rows.names):
            needed = f"({self.num_envs}, {len(self.rows.names)})"
            raise ValueError(f"actions have shape {rows.shape}: {needed} is needed")
        if self.rows.is_index:
            is_right = (rows == np.rint(rows)) & (rows >= self.rows.low) & (rows <= self.rows.high)
        else:
            is_right = np.isfinite(rows)
        if not is_right.all():
            i, j = np.unravel_index(int(np.argmin(is_right)), rows.shape)
            needed = "a finite number"
            if self.rows.is_index:
                needed = f"an integer from {self.rows.low[j]} to {self.rows.high[j]}"
            place = f"environment {i}: action {self.rows.names[j]}"
            raise ValueError(f"{place} is {rows[i, j]:g}: {needed} is needed")
        if self.rows.is_index:
            return rows + np.array(self.rows.shift)
        return np.where(self._whole, np.rint(rows), rows)

    def statistics(self) -> dict[str, np.ndarray]:
        """Statistics of each environment's last finished episode, [num_envs] f64 each."""
        return self.connection.statistics()

    def close(self) -> None:
        """Frees it on the server."""
        self.connection.close()


def request_of(task: str, num_envs: int, autoreset: str, threads: int = 1) -> dict[str, Any]:
    """What `POST /vec` is asked for."""
    return {"task_id": task, "num_envs": num_envs, "autoreset": autoreset, "threads": threads}


def entries_of(config: Mapping[str, Any] | None, action_space: str | None) -> dict[str, Any]:
    """The entries of a configuration to replace."""
    entries = dict(config or {})
    return entries if action_space is None else {**entries, "action_space": action_space}
