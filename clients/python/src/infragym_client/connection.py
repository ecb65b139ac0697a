"""A batch of environments on a server: made over HTTP, stepped by binary frames."""

from __future__ import annotations

import json
import struct
import urllib.error
import urllib.request
from typing import Any

import numpy as np
from websockets.sync.client import connect

RESET, STEP, STATISTICS = 0, 1, 2
HEADER_BYTES = 8


class ServerError(RuntimeError):
    """What the server refused, in its own words."""


class BatchConnection:
    """Owns a batch on the server and its connection.

    Every reply is a dict of read-only arrays by name: ``observations`` [num_envs, dim] f32,
    ``rewards`` and ``costs`` [num_envs] f32, ``terminated`` and ``truncated`` [num_envs] u8 and,
    where the task has them, ``masks`` [num_envs, num_actions] u8.
    """

    def __init__(self, base_url: str, request: dict[str, Any], token: str | None = None):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.description = _post(f"{base_url}/vec", request, headers)
        url = "ws" + base_url.removeprefix("http") + self.description["url"]
        # A frame is as large as the batch; compression would cost more than it saves.
        self._socket = connect(
            url, max_size=None, compression=None, additional_headers=headers
        )

    def reset(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """Begins episode 0 of seeds ``seed + i``, or without a seed each one's next episode."""
        has_seed = 0 if seed is None else 1
        return self._ask(struct.pack("<IIQ", RESET, has_seed, seed or 0), "reply")

    def step(self, actions: np.ndarray) -> dict[str, np.ndarray]:
        """Steps every environment; ``actions`` is [num_envs, action_dim]."""
        (field,) = self.description["layout"]["step_request"]["fields"]
        rows = np.ascontiguousarray(actions, dtype=np.dtype(field["dtype"]).newbyteorder("<"))
        if rows.size != np.prod(field["shape"]):
            raise ValueError(f"actions have shape {rows.shape}: {field['shape']} is needed")
        return self._ask(struct.pack("<I", STEP) + rows.tobytes(), "reply")

    def statistics(self) -> dict[str, np.ndarray]:
        """Statistics of the last finished episodes, [num_envs] f64 each."""
        layout = self.description["layout"]
        rows = self._ask(struct.pack("<I", STATISTICS), "statistics_reply")["statistics"]
        return {name: rows[:, i] for i, name in enumerate(layout["statistics_names"])}

    def close(self) -> None:
        self._socket.close()

    def _ask(self, frame: bytes, reply: str) -> dict[str, np.ndarray]:
        self._socket.send(frame)
        data = self._socket.recv()
        if isinstance(data, str):
            raise ServerError(json.loads(data)["data"]["message"])
        return {
            field["name"]: _array(data, field)
            for field in self.description["layout"][reply]["fields"]
        }


def _array(data: bytes, field: dict[str, Any]) -> np.ndarray:
    dtype = np.dtype(field["dtype"]).newbyteorder("<")
    count = int(np.prod(field["shape"]))
    flat = np.frombuffer(data, dtype=dtype, count=count, offset=field["offset"])
    return flat.reshape(field["shape"])


def _post(url: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    headers = {**headers, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        raise ServerError(error.read().decode(errors="replace")) from error
