"""The serving step in NumPy over many environments at once, each operation on whole vectors."""

from collections.abc import Callable
from typing import Any

import numpy as np

from serving_model import OBSERVATIONS, ServingModel, load_model

CHUNK_STEPS = 8


class ServingVectorEnv:
    """n environments of a task whose draft length, prefill and tier are locked, f32 actions."""

    def __init__(self, model: ServingModel, num_envs: int, seed: int):
        s, t = model.scalars, model.tables
        if int(s["lockMask"]) != 0b11100:
            raise ValueError("the vector environment steps tasks that lock all but batch and KV")
        self.num_envs = num_envs
        self.rng = np.random.default_rng(seed)
        self.scalars, self.reset_metrics = s, t["resetMetrics"]
        self.rate = model.arrival_rate
        self.noise_std = np.float32(model.config["noise_std"])
        self.axes = (model.batch_nodes, model.kv_nodes, model.prompt_nodes)
        plane = model.grid[int(s["defaultSpecIndex"])]
        self.strides = (plane.shape[1] * plane.shape[2], plane.shape[2], 1)
        # Rows are metrics, so that a gather of one metric is a gather of a contiguous array.
        self.metrics = np.ascontiguousarray(plane[..., :6].reshape(-1, 6).T)
        self.edges = t["promptEdges"]
        first = int(s["defaultSpecIndex"]) * 8
        self.accept, self.speed = t["accept"][first : first + 8], t["speed"][first : first + 8]
        self.observations = np.zeros((num_envs, len(OBSERVATIONS)), np.float32)
        self.reset()

    def reset(self) -> np.ndarray:
        """Begins an episode in every environment; they all last equally long."""
        n, s, m = self.num_envs, self.scalars, self.reset_metrics
        self.step_count = 0
        self.queue = np.zeros(n)
        self.ema = np.full(n, self.rate)
        self.prompt = np.full(n, float(s["promptStart"]))
        self.cost = np.zeros(n)
        self.statistics = {name: np.zeros(n) for name in SUMS}
        self._observe(m[0], m[2], 0.0, m[4], 0.0, 0.0)
        return self.observations

    def step(self, actions: np.ndarray):
        """Steps with [n][5] actions; returns Gymnasium's five."""
        s, n = self.scalars, self.num_envs
        kv = np.clip(actions[:, 0], np.float32(0.1), np.float32(1))
        size = np.floor(np.clip(actions[:, 1], 1, 512))
        arrivals = self.rng.poisson(self.rate, n)
        drawn = self.rng.uniform(s["promptMin"], s["promptMax"], n)
        noise = 1 + self.noise_std * self.rng.standard_normal((3, n), np.float32)
        self.ema += (arrivals - self.ema) * s["arrivalGain"]
        self.prompt += (drawn - self.prompt) * s["promptGain"]
        waiting = self.queue + arrivals
        served = np.minimum(size, waiting)
        self.queue = np.minimum(waiting - served, s["queueMax"])
        evictions = np.floor((1 - kv) * self.queue)

        ttft, _, tpot, tps, memory, cost = self._interpolate(size, kv, self.prompt)
        bucket = np.searchsorted(self.edges, self.prompt, side="right")
        ttft = np.maximum(ttft * self.speed[bucket] * noise[0], 1)
        tpot = np.maximum(tpot * self.speed[bucket] * noise[2], 1)
        oom = memory > s["memoryMaxGb"]
        memory = np.minimum(memory, np.float32(s["memoryMaxGb"]))
        violations = oom * size + (ttft > s["sloInteractiveMs"]) * self.queue
        rate = violations / np.maximum(self.queue, 1)
        reward = s["rewardTps"] * tps - s["rewardTtft"] * ttft
        reward -= s["rewardViolations"] * rate + s["rewardCost"] * cost
        reward = np.clip(reward, -1, 1)
        self.cost += cost
        self.step_count += 1
        values = (reward, violations, tps, ttft, cost, arrivals, served, oom)
        for name, value in zip(SUMS, values, strict=True):
            self.statistics[name] += value
        self._observe(ttft, tpot, np.minimum(rate, 1), memory, self.accept[bucket], evictions)
        return self._finish(reward)

    def _finish(self, reward: np.ndarray):
        """What a step returns; after an episode's last step a new one begins."""
        observations, info = self.observations, {}
        truncated = np.full(self.num_envs, self.step_count >= self.scalars["horizon"])
        if truncated[0]:
            info = {"final_obs": observations.copy(), "episode": self.statistics}
            self.reset()
        return observations, reward, np.zeros_like(truncated), truncated, info

    def _interpolate(self, *points: np.ndarray) -> np.ndarray:
        """Six metrics at n points, [6][n] in f32."""
        corner = np.zeros(self.num_envs, np.intp)
        fractions = []
        for nodes, stride, point in zip(self.axes, self.strides, points, strict=True):
            clipped = np.clip(point.astype(np.float32), nodes[0], nodes[-1])
            cell = np.searchsorted(nodes[1:-1], clipped, side="right")
            fractions.append((clipped - nodes[cell]) / (nodes[cell + 1] - nodes[cell]))
            corner += cell * stride
        return self._blend(corner, fractions, 0)

    def _blend(self, corner: np.ndarray, fractions: list[np.ndarray], axis: int) -> np.ndarray:
        """Linear along ``axis``, of what is linear along those after it."""
        if axis == len(fractions):
            return self.metrics[:, corner]
        low = self._blend(corner, fractions, axis + 1)
        high = self._blend(corner + self.strides[axis], fractions, axis + 1)
        high -= low
        high *= fractions[axis]
        high += low
        return high

    def _observe(self, ttft, tpot, rate, memory, accept, evictions) -> None:
        s, row = self.scalars, self.observations
        row[:, 0] = self.queue
        row[:, 1] = self.prompt
        row[:, 2] = self.ema
        row[:, 3] = 1 - evictions / np.maximum(self.queue, 1)
        row[:, 4] = ttft
        row[:, 5] = tpot
        row[:, 6] = rate
        row[:, 7] = memory
        row[:, 8] = accept
        row[:, 9:12] = (s["shareInteractive"], s["shareBatch"], s["shareBestEffort"])
        row[:, 12] = self.step_count
        row[:, 13] = self.cost


SUMS = (
    "episode_return",
    "slo_violations_sum",
    "tokens_per_sec_sum",
    "ttft_p50_ms_sum",
    "cost_per_1k_sum",
    "arrivals_sum",
    "served_sum",
    "oom_sum",
)


def make(options: dict[str, Any]) -> Callable[[], int]:
    """A function that takes some steps and returns how many."""
    num_envs = options["num_envs"]
    envs = ServingVectorEnv(load_model(options["model"]), num_envs, seed=0)
    rng = np.random.default_rng(1)
    actions = np.zeros((num_envs, 5), np.float32)
    actions[:, 0] = rng.uniform(0.1, 1.0, num_envs)
    actions[:, 1] = rng.integers(1, 513, num_envs)

    def run() -> int:
        for _ in range(CHUNK_STEPS):
            envs.step(actions)
        return CHUNK_STEPS * num_envs

    return run


def play(
    options: dict[str, Any], actions: list[list[float]], episodes: int
) -> list[dict[str, np.ndarray]]:
    """For each action an episode in ``episodes`` environments: means of observations, sums."""
    envs = ServingVectorEnv(load_model(options["model"]), episodes, seed=7)
    return [play_episode(envs, action) for action in actions]


def play_episode(envs: ServingVectorEnv, action: list[float]) -> dict[str, np.ndarray]:
    actions = np.tile(np.array(action, np.float32), (envs.num_envs, 1))
    sums = np.zeros(envs.observations.shape)
    steps, info = 0, {}
    while "episode" not in info:
        observations, _, _, _, info = envs.step(actions)
        sums += info.get("final_obs", observations)
        steps += 1
    return dict(zip(OBSERVATIONS, (sums / steps).T, strict=True)) | info["episode"]
