"""A batch of environments on a server: made over HTTP, stepped by binary frames."""

from __future__ import annotations

import contextlib
import json
import struct
import urllib.error
import urllib.request
from typing import Any

import numpy as np
from gymnasium.error import ClosedEnvironmentError
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

RESET, STEP, STATISTICS, CLOSE = 0, 1, 2, 3
HAS_SEED, HAS_MASK = 1, 2
_TIMEOUT_SECONDS = 60

Reply = dict[str, np.ndarray]


class ServerError(RuntimeError):
    """What the server refused, in its own words, or that it cannot be reached."""


class BatchConnection:
    """Owns a batch on the server and its connection.

    Every reply is a dict of read-only arrays by name: `observations` [num_envs, dim] f32,
    `rewards` and `costs` [num_envs] f32, `terminated` and `truncated` [num_envs] u8 and, where the
    batch has them, `masks` [num_envs, num_actions] u8 and `final_observations`.
    """

    def __init__(self, base_url: str, request: dict[str, Any], token: str | None = None):
        self._socket: Any = None
        self._open = contextlib.ExitStack()
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.description = _post(f"{base_url}/vec", request, headers)
        url = "ws" + base_url.removeprefix("http") + self.description["url"]
        try:
            # A frame is as large as the batch; compression would cost more than it saves.
            opened = connect(url, max_size=None, compression=None, additional_headers=headers)
            self._socket = self._open.enter_context(opened)
        except (OSError, WebSocketException) as error:
            raise ServerError(f"{url} cannot be reached: {error}") from error

    def reset(self, seed: int | None = None, mask: np.ndarray | None = None) -> Reply:
        """Begins episode 0 of seeds `seed + i`, or without a seed each one's next episode.

        Args:
            mask: bool [num_envs]: only where it is True.
        """
        flags = (HAS_SEED if seed is not None else 0) | (HAS_MASK if mask is not None else 0)
        frame = struct.pack("<IIQ", RESET, flags, seed or 0)
        return self._ask(
            frame + (b"" if mask is None else mask.astype(np.uint8).tobytes()), "reply"
        )

    def step(self, rows: np.ndarray) -> Reply:
        """Steps every environment; `rows` is [num_envs, action_dim], checked by the caller."""
        (field,) = self.description["layout"]["step_request"]["fields"]
        data = np.ascontiguousarray(rows, dtype=np.dtype(field["dtype"]).newbyteorder("<"))
        if data.size != np.prod(field["shape"]):
            raise ValueError(f"actions have shape {data.shape}: {field['shape']} is needed")
        return self._ask(struct.pack("<I", STEP) + data.tobytes(), "reply")

    def statistics(self) -> Reply:
        """Statistics of the last finished episodes, [num_envs] f64 each."""
        layout = self.description["layout"]
        rows = self._ask(struct.pack("<I", STATISTICS), "statistics_reply")["statistics"]
        return {name: rows[:, i] for i, name in enumerate(layout["statistics_names"])}

    def close(self) -> None:
        """Frees the batch on the server; a second call does nothing."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        with contextlib.suppress(OSError, WebSocketException):
            socket.send(struct.pack("<I", CLOSE))
            self._open.close()

    def __del__(self) -> None:
        # Whoever drops an environment without closing it must not keep a batch on the server.
        if getattr(self, "_socket", None) is not None:
            with contextlib.suppress(Exception):
                self.close()

    def _ask(self, frame: bytes, reply: str) -> Reply:
        if self._socket is None:
            raise ClosedEnvironmentError("the environment is closed: make another one")
        try:
            self._socket.send(frame)
            data = self._socket.recv()
        except ConnectionClosed as error:
            raise ServerError(f"the server has closed the connection: {error}") from error
        if isinstance(data, str):
            raise ServerError(json.loads(data)["data"]["message"])
        fields = self.description["layout"][reply]["fields"]
        return {field["name"]: _array(data, field) for field in fields}


def _array(data: bytes, field: dict[str, Any]) -> np.ndarray:
    dtype = np.dtype(field["dtype"]).newbyteorder("<")
    count = int(np.prod(field["shape"]))
    flat = np.frombuffer(data, dtype=dtype, count=count, offset=field["offset"])
    return flat.reshape(field["shape"])


def _post(url: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    headers = {**headers, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        raise ServerError(_message(error.read())) from error
    except OSError as error:
        raise ServerError(f"{url} cannot be reached: {error}") from error


def _message(body: bytes) -> str:
    """What a refusal says, taken out of its JSON where it is some."""
    text = body.decode(errors="replace")
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return str(parsed.get("message", parsed.get("detail", text))) if parsed else text
