"""The serving step in Numba: a rollout of many environments as one compiled loop on one thread.

Random numbers come from a draw, which is compiled into the loop: NumPy's Generator, as Numba
offers it, or the generator and samplers of ``serving_numba_draws.py``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from serving_model import OBSERVATIONS, SPEC_LENGTHS, load_model
from serving_numba_draws import compile_generator_draw, compile_own_draw, make_states
from serving_numba_params import (
    COST,
    EMA,
    LAST_BATCH,
    LAST_KV,
    PROMPT,
    QUEUE,
    STATISTICS,
    STEP,
    Batch,
    Params,
    compiled,
    make_batch,
    make_params,
)

ROLLOUT_STEPS = 64


@compiled
def mix(a, b, t):
    return a + (b - a) * t


@compiled
def locate(nodes, x):
    """The cell of x on an axis, clamped to it, and the fraction of the cell below x."""
    last = len(nodes) - 1
    x = min(max(x, nodes[0]), nodes[last])
    cell = 0
    for i in range(1, last):
        cell += nodes[i] <= x
    return cell, (x - nodes[cell]) / (nodes[cell + 1] - nodes[cell])


def compile_table(p: Params) -> tuple[Callable, Callable]:
    """The look-up in the task's table, and the reading of actions."""
    kv_step = 8 * len(p.prompt_nodes)
    batch_step = kv_step * len(p.kv_nodes)
    plane_step = batch_step * len(p.batch_nodes)

    @compiled
    def interpolate(plane, batch, kv, prompt, row):
        """The eight columns of the grid at a point, trilinear, into ``row``."""
        i, x = locate(p.batch_nodes, batch)
        j, y = locate(p.kv_nodes, kv)
        k, z = locate(p.prompt_nodes, np.float32(prompt))
        at = plane * plane_step + i * batch_step + j * kv_step + k * 8
        for m in range(8):
            a = mix(p.grid[at + m], p.grid[at + m + 8], z)
            b = mix(p.grid[at + m + kv_step], p.grid[at + m + kv_step + 8], z)
            c = mix(p.grid[at + m + batch_step], p.grid[at + m + batch_step + 8], z)
            corner = at + m + batch_step + kv_step
            d = mix(p.grid[corner], p.grid[corner + 8], z)
            row[m] = mix(mix(a, b, y), mix(c, d, y), x)

    @compiled
    def decode(actions, i):
        """A configuration from five numbers, locked fields at their defaults."""
        kv = min(max(actions[i, 0], np.float32(0.1)), np.float32(1))
        size = np.floor(min(max(actions[i, 1], np.float32(1)), np.float32(512)))
        spec = 0
        if not p.locked_spec:
            for length in SPEC_LENGTHS[1:]:
                spec += actions[i, 2] >= length
        disagg = not p.locked_disagg and actions[i, 3] >= 1
        quant = 0 if p.locked_quant else int(min(max(actions[i, 4], 0.0), 2.0))
        return kv, size, spec, disagg, quant

    return interpolate, decode


def compile_outputs(p: Params) -> tuple[Callable, Callable]:
    """The writing of observations, and the beginning of an episode."""

    @compiled
    def observe(state, row, i, ttft, tpot, violation_rate, memory, accept, evictions):
        row[i, 0] = state[i, QUEUE]
        row[i, 1] = state[i, PROMPT]
        row[i, 2] = state[i, EMA]
        row[i, 3] = 1.0 - evictions / max(state[i, QUEUE], 1.0)
        row[i, 4] = ttft
        row[i, 5] = tpot
        row[i, 6] = min(violation_rate, 1.0)
        row[i, 7] = memory
        row[i, 8] = accept
        row[i, 9] = p.shares[0]
        row[i, 10] = p.shares[1]
        row[i, 11] = p.shares[2]
        row[i, 12] = state[i, STEP]
        row[i, 13] = state[i, COST]

    @compiled
    def reset(state, statistics, observations, i):
        for slot in range(state.shape[1]):
            state[i, slot] = 0.0
        for slot in range(statistics.shape[1]):
            statistics[i, slot] = 0.0
        state[i, EMA] = p.arrival_rate
        state[i, PROMPT] = p.prompt_start
        ttft, tpot, memory = p.reset_ttft, p.reset_tpot, p.reset_memory
        observe(state, observations, i, ttft, tpot, 0.0, memory, 0.0, 0.0)

    return observe, reset


@compiled
def fold_delta(statistics, i, at, change, count):
    """Welford's mean and sum of squares of the changes of a knob."""
    before = change - statistics[i, at]
    statistics[i, at] += before / count
    statistics[i, at + 1] += before * (change - statistics[i, at])


def compile_measure(p: Params) -> Callable:
    """The server's metrics in a configuration, noise included."""
    interpolate, _ = compile_table(p)

    @compiled
    def measure(kv, size, spec, disagg, quant, prompt, noise_p50, noise_tpot, row):
        interpolate(spec, size, kv, prompt, row)
        for m in range(8):
            row[m] *= p.quant_factors[8 * quant + m]
        bucket = 0
        for edge in p.prompt_edges:
            bucket += prompt >= edge
        speed = p.speed[8 * spec + bucket]
        ttft, tpot = row[0] * speed * noise_p50, row[2] * speed * noise_tpot
        memory, cost = row[4], row[5]
        if disagg:
            long = min(max((prompt - 512.0) / 1536.0, 0.0), 1.0)
            ttft *= 1.0 - 0.3 * long
            tpot *= 1.0 - 0.1 * long
            memory *= 1.1
            cost *= 1.3
        accept = p.accept[8 * spec + bucket]
        return max(ttft, 1.0), max(tpot, 1.0), max(row[3], 0.0), memory, cost, accept

    return measure


@compiled
def fold(statistics, state, i, size, kv, reward, arrivals, served, dropped):
    """What a step adds to the sums that are not read from its metrics, and to the deltas."""
    statistics[i, 0] += 1.0
    statistics[i, 1] += reward
    statistics[i, 12] += arrivals
    statistics[i, 13] += served
    statistics[i, 14] += dropped
    if state[i, STEP] > 1.0:
        fold_delta(statistics, i, 8, size - state[i, LAST_BATCH], state[i, STEP] - 1.0)
        fold_delta(statistics, i, 10, kv - state[i, LAST_KV], state[i, STEP] - 1.0)
    state[i, LAST_BATCH] = size
    state[i, LAST_KV] = kv


@compiled
def fold_metrics(statistics, i, tps, ttft, memory, violations, cost, oom):
    statistics[i, 2] += violations
    statistics[i, 3] += tps
    statistics[i, 4] += ttft
    statistics[i, 5] = max(statistics[i, 5], memory)
    statistics[i, 6] += violations
    statistics[i, 7] += cost
    statistics[i, 15] += oom


def compile_step(p: Params, draw: Callable) -> Callable:
    """A step of environment i, its episode's end left to the rollout."""
    _, decode = compile_table(p)
    measure = compile_measure(p)
    observe, _ = compile_outputs(p)

    @compiled
    def step(source, state, actions, observations, rewards, costs, statistics, i, row):
        kv, size, spec, disagg, quant = decode(actions, i)
        arrivals, prompt, noise_p50, _, noise_tpot = draw(source, i)
        state[i, EMA] += (arrivals - state[i, EMA]) * p.arrival_gain
        state[i, PROMPT] += (prompt - state[i, PROMPT]) * p.prompt_gain
        waiting = state[i, QUEUE] + arrivals
        served = min(size, waiting)
        queue = min(waiting - served, p.queue_max)
        state[i, QUEUE] = queue
        evictions = np.floor((1.0 - kv) * queue)

        ttft, tpot, tps, memory, cost, accept = measure(
            kv, size, spec, disagg, quant, state[i, PROMPT], noise_p50, noise_tpot, row
        )
        oom = memory > p.memory_max
        memory = min(memory, p.memory_max)
        violations = (size if oom else 0.0) + (queue if ttft > p.slo_ms else 0.0)
        rate = violations / max(queue, 1.0)
        reward = p.reward_tps * tps - p.reward_ttft * ttft
        reward -= p.reward_violations * rate + p.reward_cost * cost
        reward = min(max(reward, -1.0), 1.0)
        state[i, COST] += cost
        state[i, STEP] += 1.0

        rewards[i] = reward
        costs[i] = violations
        observe(state, observations, i, ttft, tpot, rate, memory, accept, evictions)
        fold(statistics, state, i, size, kv, reward, arrivals, served, waiting - served - queue)
        fold_metrics(statistics, i, tps, ttft, memory, violations, cost, oom)

    return step


def compile_rollout(p: Params, draw: Callable) -> tuple[Callable, Callable]:
    """A rollout that holds its actions, and the reset of a batch."""
    step = compile_step(p, draw)
    _, reset = compile_outputs(p)

    @compiled
    def rollout(batch, source, steps):
        state, actions, statistics = batch.state, batch.actions, batch.statistics
        observations, rewards, costs = batch.observations, batch.rewards, batch.costs
        truncated = batch.truncated
        final_observations, final_statistics = batch.final_observations, batch.final_statistics
        row = np.empty(8, np.float32)
        for _ in range(steps):
            for i in range(len(rewards)):
                step(source, state, actions, observations, rewards, costs, statistics, i, row)
                done = state[i, STEP] >= p.horizon
                truncated[i] = done
                if done:
                    final_observations[i, :] = observations[i]
                    final_statistics[i, :] = statistics[i]
                    reset(state, statistics, observations, i)

    @compiled
    def reset_all(batch):
        for i in range(len(batch.rewards)):
            reset(batch.state, batch.statistics, batch.observations, i)

    return rollout, reset_all


def make_rollout(options: dict[str, Any], num_envs: int, seed: int) -> tuple[Callable, Batch]:
    """A batch at the beginning of its episodes and the function that steps it so many times."""
    model = load_model(options["model"])
    params, batch = make_params(model), make_batch(num_envs)
    if options["draws"] == "generator":
        draw, source = compile_generator_draw(params), np.random.default_rng(seed)
    else:
        draw, source = compile_own_draw(params), make_states(num_envs, seed)
    rollout, reset_all = compile_rollout(params, draw)
    reset_all(batch)
    return lambda steps: rollout(batch, source, steps), batch


def random_actions(num_envs: int) -> np.ndarray:
    """One action for each environment, uniform on the action space of the task."""
    rng = np.random.default_rng(1)
    actions = np.zeros((num_envs, 5), np.float32)
    actions[:, 0] = rng.uniform(0.1, 1.0, num_envs)
    actions[:, 1] = rng.integers(1, 513, num_envs)
    return actions


def make(options: dict[str, Any]) -> Callable[[], int]:
    """A function that takes some steps and returns how many."""
    num_envs = options["num_envs"]
    rollout, batch = make_rollout(options, num_envs, seed=0)
    batch.actions[:] = random_actions(num_envs)

    def run() -> int:
        rollout(ROLLOUT_STEPS)
        return ROLLOUT_STEPS * num_envs

    return run


def play(
    options: dict[str, Any], actions: list[list[float]], episodes: int
) -> list[dict[str, np.ndarray]]:
    """For each action an episode in ``episodes`` environments: means of observations, sums."""
    rollout, batch = make_rollout(options, episodes, seed=7)
    return [play_episode(rollout, batch, action) for action in actions]


def play_episode(rollout: Callable, batch: Batch, action: list[float]) -> dict[str, np.ndarray]:
    """From the beginning of an episode to its end, which all environments reach together."""
    batch.actions[:] = action
    sums = np.zeros(batch.observations.shape)
    steps = 0
    while steps == 0 or not batch.truncated.all():
        rollout(1)
        steps += 1
        ended = batch.truncated[:, None]
        sums += np.where(ended, batch.final_observations, batch.observations)
    played = dict(zip(OBSERVATIONS, (sums / steps).T, strict=True))
    return played | dict(zip(STATISTICS, batch.final_statistics.copy().T, strict=True))
