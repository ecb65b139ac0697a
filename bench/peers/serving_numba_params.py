"""What the compiled serving step of ``serving_numba.py`` reads and writes."""

from typing import NamedTuple

import numpy as np
from numba import njit

from serving_model import OBSERVATIONS, ServingModel

# What an environment remembers: one row of f64 each.
QUEUE, EMA, PROMPT, COST, STEP, LAST_BATCH, LAST_KV = range(7)
STATISTICS = (
    "length_steps",
    "episode_return",
    "episode_cost",
    "tokens_per_sec_sum",
    "ttft_p50_ms_sum",
    "gpu_memory_gb_max",
    "slo_violations_sum",
    "cost_per_1k_sum",
    "batch_size_delta_mean",
    "batch_size_delta_m2",
    "kv_budget_delta_mean",
    "kv_budget_delta_m2",
    "arrivals_sum",
    "served_sum",
    "dropped_sum",
    "oom_sum",
)
compiled = njit(fastmath=True, error_model="numpy")


class Params(NamedTuple):
    """The task as the compiled step reads it."""

    grid: np.ndarray
    batch_nodes: np.ndarray
    kv_nodes: np.ndarray
    prompt_nodes: np.ndarray
    prompt_edges: np.ndarray
    accept: np.ndarray
    speed: np.ndarray
    quant_factors: np.ndarray
    arrival_rate: float
    arrival_gain: float
    prompt_gain: float
    prompt_low: float
    prompt_high: float
    prompt_start: float
    noise_std: float
    queue_max: float
    memory_max: float
    slo_ms: float
    reward_tps: float
    reward_ttft: float
    reward_violations: float
    reward_cost: float
    shares: tuple[float, float, float]
    reset_ttft: float
    reset_tpot: float
    reset_memory: float
    locked_spec: bool
    locked_disagg: bool
    locked_quant: bool
    horizon: int


class Batch(NamedTuple):
    """State, actions and outputs of n environments, one row each."""

    state: np.ndarray
    actions: np.ndarray
    observations: np.ndarray
    rewards: np.ndarray
    costs: np.ndarray
    truncated: np.ndarray
    statistics: np.ndarray
    final_observations: np.ndarray
    final_statistics: np.ndarray


def make_params(model: ServingModel) -> Params:
    s, t = model.scalars, model.tables
    lock = int(s["lockMask"])
    return Params(
        grid=np.ascontiguousarray(model.grid).ravel(),
        batch_nodes=model.batch_nodes,
        kv_nodes=model.kv_nodes,
        prompt_nodes=model.prompt_nodes,
        prompt_edges=t["promptEdges"],
        accept=t["accept"],
        speed=t["speed"],
        quant_factors=t["quantFactors"],
        arrival_rate=model.arrival_rate,
        arrival_gain=float(s["arrivalGain"]),
        prompt_gain=float(s["promptGain"]),
        prompt_low=float(s["promptMin"]),
        prompt_high=float(s["promptMax"]),
        prompt_start=float(s["promptStart"]),
        noise_std=float(model.config["noise_std"]),
        queue_max=float(s["queueMax"]),
        memory_max=float(s["memoryMaxGb"]),
        slo_ms=float(s["sloInteractiveMs"]),
        reward_tps=float(s["rewardTps"]),
        reward_ttft=float(s["rewardTtft"]),
        reward_violations=float(s["rewardViolations"]),
        reward_cost=float(s["rewardCost"]),
        shares=(s["shareInteractive"] + 0.0, s["shareBatch"] + 0.0, s["shareBestEffort"] + 0.0),
        reset_ttft=float(t["resetMetrics"][0]),
        reset_tpot=float(t["resetMetrics"][2]),
        reset_memory=float(t["resetMetrics"][4]),
        locked_spec=bool(lock & 4),
        locked_disagg=bool(lock & 8),
        locked_quant=bool(lock & 16),
        horizon=int(s["horizon"]),
    )


def make_batch(num_envs: int) -> Batch:
    width = len(OBSERVATIONS)
    return Batch(
        state=np.zeros((num_envs, 7)),
        actions=np.zeros((num_envs, 5), np.float32),
        observations=np.zeros((num_envs, width), np.float32),
        rewards=np.zeros(num_envs, np.float32),
        costs=np.zeros(num_envs, np.float32),
        truncated=np.zeros(num_envs, np.bool_),
        statistics=np.zeros((num_envs, len(STATISTICS))),
        final_observations=np.zeros((num_envs, width), np.float32),
        final_statistics=np.zeros((num_envs, len(STATISTICS))),
    )
