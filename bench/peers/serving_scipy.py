"""The serving step as InferenceGym, its origin, designs it: objects, NumPy and SciPy.

A TraceSimulator interpolates each metric with SciPy's RegularGridInterpolator, a WorkloadGenerator
draws the traffic from NumPy's Generator, dataclasses go between them, and a Gymnasium environment
with a dictionary for an action stands around both. What is computed is the repository's step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import gymnasium as gym
import numpy as np
from scipy.interpolate import RegularGridInterpolator

from serving_model import METRICS, OBSERVATIONS, SPEC_LENGTHS, ServingModel, load_model

CHUNK_STEPS = 200


class QuantTier(Enum):
    FP16 = 0
    INT8 = 1
    INT4 = 2


QUANT_FACTORS = {QuantTier.FP16: 1.0, QuantTier.INT8: 0.82, QuantTier.INT4: 0.68}


@dataclass
class ServeAction:
    kv_budget: float
    spec_length: int
    batch_size: int
    prefill_disagg: bool
    quant_tier: QuantTier

    def validate(self) -> None:
        if not 0.1 <= self.kv_budget <= 1.0:
            raise ValueError(f"kv_budget is {self.kv_budget}; it lies in 0.1..1")
        if self.spec_length not in SPEC_LENGTHS:
            raise ValueError(f"spec_length is {self.spec_length}; one of {SPEC_LENGTHS}")
        if not 1 <= self.batch_size <= 512:
            raise ValueError(f"batch_size is {self.batch_size}; it lies in 1..512")


@dataclass
class WorkloadState:
    arrivals: int
    arrival_rate: float
    mean_prompt_len: float
    prompt_len_bucket: int
    queue_depth: int
    served: int
    priority_distribution: list[float]
    phase: str


@dataclass
class MetricsSnapshot:
    ttft_p50_ms: float
    ttft_p99_ms: float
    tpot_ms: float
    tokens_per_sec: float
    gpu_memory_gb: float
    cost_per_1k: float
    spec_accept_rate: float
    eviction_events: int
    slo_violations: float


class TraceSimulator:
    """Interpolates a configuration and a workload to the server's metrics."""

    NOISE_STD = 0.05

    def __init__(self, model: ServingModel, seed: int = 42):
        self.rng = np.random.default_rng(seed)
        self.accept_base = model.config["spec_accept_base"]
        self.memory_max = model.config["max_memory_gb"]
        points = (SPEC_LENGTHS, model.batch_nodes, model.kv_nodes, model.prompt_nodes)
        self.low = [float(axis[0]) for axis in points]
        self.high = [float(axis[-1]) for axis in points]
        self.interpolators = {
            name: RegularGridInterpolator(points, model.grid[..., i].astype(float))
            for i, name in enumerate(METRICS)
        }

    def simulate(self, action: ServeAction, workload: WorkloadState) -> MetricsSnapshot:
        action.validate()
        prompt = workload.mean_prompt_len
        query = [[action.spec_length, action.batch_size, action.kv_budget, prompt]]
        query = np.clip(query, self.low, self.high)
        base = {name: float(fn(query)[0]) for name, fn in self.interpolators.items()}
        self._quantise(base, action)
        accept_rate = self._speculate(base, action, workload)
        if action.prefill_disagg:
            self._disaggregate(base, prompt)
        noise = self.rng.normal(1.0, self.NOISE_STD, size=3)
        oom = base["gpu_mem"] > self.memory_max
        return MetricsSnapshot(
            ttft_p50_ms=max(1.0, base["ttft_p50"] * noise[0]),
            ttft_p99_ms=max(1.0, base["ttft_p99"] * noise[1]),
            tpot_ms=max(1.0, base["tpot"] * noise[2]),
            tokens_per_sec=max(0.0, base["tps"]),
            gpu_memory_gb=min(base["gpu_mem"], self.memory_max),
            cost_per_1k=base["cost_per_1k"],
            spec_accept_rate=accept_rate,
            eviction_events=int((1.0 - action.kv_budget) * workload.queue_depth),
            slo_violations=action.batch_size if oom else 0,
        )

    @staticmethod
    def _quantise(base: dict[str, float], action: ServeAction) -> None:
        factor = QUANT_FACTORS[action.quant_tier]
        for name in ("ttft_p50", "ttft_p99", "tpot", "gpu_mem"):
            base[name] *= factor
        base["tps"] /= factor
        base["cost_per_1k"] *= factor * factor

    def _speculate(
        self, base: dict[str, float], action: ServeAction, workload: WorkloadState
    ) -> float:
        depth_decay = 1.0 / (1 + 0.15 * action.spec_length)
        accept_rate = self.accept_base * (1 - 0.1 * workload.prompt_len_bucket) * depth_decay
        accept_rate = max(0.0, min(1.0, accept_rate))
        speedup = 1.0 + accept_rate * action.spec_length * 0.1
        base["ttft_p50"] /= speedup
        base["tpot"] /= speedup
        return accept_rate

    @staticmethod
    def _disaggregate(base: dict[str, float], prompt: float) -> None:
        long = max(0.0, min(1.0, (prompt - 512) / 1536))
        base["ttft_p50"] *= 1 - 0.3 * long
        base["tpot"] *= 1 - 0.1 * long
        base["gpu_mem"] *= 1.1
        base["cost_per_1k"] *= 1.3


class WorkloadGenerator:
    """Poisson arrivals, uniform prompt lengths and the queue."""

    BUCKETS = (64, 128, 256, 512, 1024, 2048, 4096)

    def __init__(self, model: ServingModel, seed: int = 42):
        self.rng = np.random.default_rng(seed)
        self.rate = model.config["arrival_rate_rps"]
        self.prompts = model.config["prompt_len_dist"]
        self.priorities = list(model.config["priority_distribution"])
        self.queue_max = int(model.scalars["queueMax"])
        self.reset()

    def reset(self) -> WorkloadState:
        self.timestep = 0
        self.queue = 0
        self.arrival_ema = float(self.rate)
        self.prompt_mean = (self.prompts["min"] + self.prompts["max"]) / 2
        return self._state(0, 0)

    def step(self, action: ServeAction) -> WorkloadState:
        arrivals = int(self.rng.poisson(lam=self.rate))
        prompt = self.rng.uniform(self.prompts["min"], self.prompts["max"])
        self.arrival_ema += (arrivals - self.arrival_ema) * 2 / 11
        self.prompt_mean += (prompt - self.prompt_mean) / 8
        self.queue += arrivals
        served = min(action.batch_size, self.queue)
        self.queue = min(self.queue - served, self.queue_max)
        self.timestep += 1
        return self._state(arrivals, served)

    def _state(self, arrivals: int, served: int) -> WorkloadState:
        return WorkloadState(
            arrivals=arrivals,
            arrival_rate=self.arrival_ema,
            mean_prompt_len=self.prompt_mean,
            prompt_len_bucket=int(np.digitize(self.prompt_mean, self.BUCKETS)),
            queue_depth=self.queue,
            served=served,
            priority_distribution=self.priorities,
            phase="warmup" if self.timestep <= 10 else "steady",
        )


RESET_METRICS = MetricsSnapshot(
    ttft_p50_ms=200.0,
    ttft_p99_ms=350.0,
    tpot_ms=20.0,
    tokens_per_sec=2000.0,
    gpu_memory_gb=24.0,
    cost_per_1k=0.001,
    spec_accept_rate=0.0,
    eviction_events=0,
    slo_violations=0,
)


class InferenceEnv(gym.Env):
    """The origin's environment with Gymnasium's signatures and spaces."""

    def __init__(self, model: ServingModel, seed: int = 42):
        self.config = model.config
        self.simulator = TraceSimulator(model, seed)
        self.generator = WorkloadGenerator(model, seed + 1)
        self.action_space = gym.spaces.Dict(
            {
                "kv_budget": gym.spaces.Box(0.1, 1.0, (), np.float64),
                "batch_size": gym.spaces.Box(1, 512, (), np.int64),
                "spec_length": gym.spaces.Discrete(len(SPEC_LENGTHS)),
                "prefill_disagg": gym.spaces.Discrete(2),
                "quant_tier": gym.spaces.Discrete(3),
            }
        )
        self.observation_space = gym.spaces.Box(0.0, np.inf, (len(OBSERVATIONS),), np.float32)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        if seed is not None:
            self.simulator.rng = np.random.default_rng(seed)
            self.generator.rng = np.random.default_rng(seed + 1)
        self.timestep = 0
        self.cost_so_far = 0.0
        self.episode_log: list[dict[str, Any]] = []
        self.workload = self.generator.reset()
        return self._observe(RESET_METRICS), {}

    def step(self, action: dict[str, Any]):
        if self.timestep >= self.config["episode_len"]:
            raise RuntimeError("the episode is over; call reset() first")
        served = self._serve_action(action)
        self.workload = self.generator.step(served)
        metrics = self.simulator.simulate(served, self.workload)
        late = metrics.ttft_p50_ms > self.config["slo_target_ms"]
        metrics.slo_violations += int(late) * self.workload.queue_depth
        reward = self._reward(metrics)
        self.cost_so_far += metrics.cost_per_1k
        self.timestep += 1
        truncated = self.timestep >= self.config["episode_len"]
        info = {
            "timestep": self.timestep,
            "metrics": metrics.__dict__,
            "workload": self.workload.__dict__,
        }
        entry = {"action": served.__dict__, "reward": reward, "metrics": metrics.__dict__}
        self.episode_log.append(entry)
        return self._observe(metrics), reward, False, truncated, info

    def _serve_action(self, action: dict[str, Any]) -> ServeAction:
        """The action with the fields that the task locks at their defaults."""
        wanted = ServeAction(
            kv_budget=float(action["kv_budget"]),
            spec_length=SPEC_LENGTHS[int(action["spec_length"])],
            batch_size=int(action["batch_size"]),
            prefill_disagg=bool(action["prefill_disagg"]),
            quant_tier=QuantTier(int(action["quant_tier"])),
        )
        active = self.config["active_actions"]
        default = self.config["default_action"]
        if "spec_length" not in active:
            wanted.spec_length = default["spec_length"]
        if "prefill_disagg" not in active:
            wanted.prefill_disagg = default["prefill_disagg"]
        if "quant_tier" not in active:
            wanted.quant_tier = QuantTier(default["quant_tier"])
        return wanted

    def _reward(self, metrics: MetricsSnapshot) -> float:
        c = self.config
        throughput = metrics.tokens_per_sec / c["max_throughput"]
        latency = metrics.ttft_p50_ms / c["slo_target_ms"]
        violations = metrics.slo_violations / max(self.workload.queue_depth, 1)
        cost = metrics.cost_per_1k / c["cost_ceiling"]
        reward = c["alpha"] * throughput - c["beta"] * latency
        reward -= c["gamma"] * violations + c["delta"] * cost
        return float(np.clip(reward, -1.0, 1.0))

    def _observe(self, metrics: MetricsSnapshot) -> np.ndarray:
        w = self.workload
        waiting = max(w.queue_depth, 1)
        row = (
            w.queue_depth,
            w.mean_prompt_len,
            w.arrival_rate,
            1.0 - metrics.eviction_events / waiting,
            metrics.ttft_p50_ms,
            metrics.tpot_ms,
            min(metrics.slo_violations / waiting, 1.0),
            metrics.gpu_memory_gb,
            metrics.spec_accept_rate,
            *w.priority_distribution,
            self.timestep,
            self.cost_so_far,
        )
        return np.array(row, dtype=np.float32)


def make(options: dict[str, Any]) -> Callable[[], int]:
    """A function that takes some steps and returns how many."""
    env = InferenceEnv(load_model(options["model"]))
    env.action_space.seed(1)
    env.reset(seed=0)
    actions = [env.action_space.sample() for _ in range(CHUNK_STEPS)]

    def run() -> int:
        for action in actions:
            _, _, _, truncated, _ = env.step(action)
            if truncated:
                env.reset()
        return CHUNK_STEPS

    return run


def play(
    options: dict[str, Any], actions: list[list[float]], episodes: int
) -> list[dict[str, np.ndarray]]:
    """For each action some episodes: means of what is observed, sums over the log."""
    env = InferenceEnv(load_model(options["model"]))
    env.reset(seed=7)
    played = []
    for action in actions:
        rows = [play_episode(env, action) for _ in range(episodes)]
        played.append({name: np.array([row[name] for row in rows]) for name in rows[0]})
    return played


def play_episode(env: InferenceEnv, action: list[float]) -> dict[str, float]:
    kv_budget, batch_size, spec_length, prefill_disagg, quant_tier = action
    held = {
        "kv_budget": kv_budget,
        "batch_size": batch_size,
        "spec_length": SPEC_LENGTHS.index(spec_length),
        "prefill_disagg": prefill_disagg,
        "quant_tier": quant_tier,
    }
    env.reset()
    observed = []
    truncated = False
    while not truncated:
        observation, _, _, truncated, _ = env.step(held)
        observed.append(observation)
    means = np.mean(observed, axis=0, dtype=np.float64)
    log = [entry["metrics"] for entry in env.episode_log]
    sums = {
        "episode_return": sum(entry["reward"] for entry in env.episode_log),
        "tokens_per_sec_sum": sum(row["tokens_per_sec"] for row in log),
        "ttft_p50_ms_sum": sum(row["ttft_p50_ms"] for row in log),
        "slo_violations_sum": sum(row["slo_violations"] for row in log),
        "cost_per_1k_sum": sum(row["cost_per_1k"] for row in log),
        "gpu_memory_gb_max": max(row["gpu_memory_gb"] for row in log),
    }
    return dict(zip(OBSERVATIONS, means, strict=True)) | sums
