"""Graders of serving: the origin's three, and the measured tasks' between baseline and bound."""

from __future__ import annotations

import math

from . import EMPTY, Context, Grade, Rules, Statistics, require
from .numbers import clip01, fixed, plain


def grade(rules: Rules, s: Statistics, context: Context) -> Grade:
    """Grades an episode by its statistics; one without a step scores 0."""
    if not s["length_steps"] > 0:
        return EMPTY
    kind = rules["kind"].partition("/")[2]
    return _GRADERS[kind](rules, s, context)


def _throughput(rules: Rules, s: Statistics, context: Context) -> Grade:
    """The mean throughput between two marks."""
    baseline, optimal = rules["baseline_tps"], rules["optimal_tps"]
    mean_tps = s["tokens_per_sec_sum"] / s["length_steps"]
    share = (mean_tps - baseline) / (optimal - baseline)
    score = clip01(share)
    feedback = (
        f"Agent achieved {fixed(mean_tps, 0)} TPS "
        f"({fixed(share * 100, 0)}% of way from baseline to optimal)."
    )
    return Grade(score, {"throughput": score}, feedback)


def _latency(rules: Rules, s: Statistics, context: Context) -> Grade:
    """Quick first tokens within a memory limit."""
    ttft_limit, memory_limit = rules["ttft_limit_ms"], rules["memory_limit_gb"]
    mean_ttft = s["ttft_p50_ms_sum"] / s["length_steps"]
    peak = s["gpu_memory_gb_max"]
    ttft = clip01(1 - mean_ttft / ttft_limit)
    excess = (peak - memory_limit) / rules["memory_slack_gb"]
    memory = 1.0 if peak < memory_limit else clip01(1 - excess)
    feedback = (
        f"TTFT score: {fixed(ttft, 2)} (mean TTFT {fixed(mean_ttft, 0)}ms vs "
        f"{plain(ttft_limit)}ms SLO). Memory score: {fixed(memory, 2)} "
        f"(peak {fixed(peak, 1)}GB vs {plain(memory_limit)}GB limit)."
    )
    return Grade(0.5 * ttft + 0.5 * memory, {"ttft": ttft, "memory": memory}, feedback)


def _delta_std(s: Statistics, name: str) -> float:
    """Standard deviation of the changes from step to step."""
    changes = s["length_steps"] - 1
    return math.sqrt(s[f"{name}_delta_m2"] / changes) if changes > 0 else 0.0


def _balance(rules: Rules, s: Statistics, context: Context) -> Grade:
    """Throughput, SLO compliance, cost and steadiness."""
    optimal, budget = rules["optimal_tps"], rules["cost_budget"]
    violations_limit, variation_limit = rules["violations_limit"], rules["variation_limit"]
    mean_tps = s["tokens_per_sec_sum"] / s["length_steps"]
    mean_violations = s["slo_violations_sum"] / s["length_steps"]
    total_cost = s["cost_per_1k_sum"]
    variation = _delta_std(s, "batch_size") / 512 + _delta_std(s, "kv_budget")
    throughput = clip01(mean_tps / optimal)
    slo = clip01(1 - mean_violations / violations_limit)
    cost = clip01(1 - total_cost / budget)
    stability = 1 - clip01(variation / variation_limit)
    feedback = (
        f"Throughput score: {fixed(throughput, 2)} (mean {fixed(mean_tps, 0)} TPS vs "
        f"{plain(optimal)} optimal). SLO score: {fixed(slo, 2)} (mean {fixed(mean_violations, 1)} "
        f"violations per step vs {plain(violations_limit)} limit). Cost score: {fixed(cost, 2)} "
        f"(total {fixed(total_cost, 2)} vs {plain(budget)} budget). Stability score: "
        f"{fixed(stability, 2)} (action variation {fixed(variation, 2)} vs "
        f"{plain(variation_limit)} limit)."
    )
    score = 0.4 * throughput + 0.3 * slo + 0.2 * cost + 0.1 * stability
    parts = {"throughput": throughput, "slo": slo, "cost": cost, "stability": stability}
    return Grade(score, parts, feedback)


def _bound(rules: Rules, s: Statistics, context: Context) -> Grade:
    """How far the return is from the baseline's on the same seed to the bound."""
    needed = "the baseline's return on the same seed"
    baseline = require(context.baseline_return, "baseline_return", needed)
    bound = s["arrivals_sum"] / rules["mean_rate"]
    reached = s["episode_return"]
    room = bound - baseline
    # In a quiet window the baseline may be at the bound; rewards are rounded to f32.
    rounding = 1e-6 * bound
    share = (reached - baseline) / room if room > rounding else float(reached >= bound - rounding)
    score = clip01(share)
    feedback = (
        f"Return {fixed(reached, 1)}: {fixed(share * 100, 0)}% of the way from the "
        f"baseline's {fixed(baseline, 1)} to the bound of {fixed(bound, 1)} "
        "(every request in time, at full precision, on one GPU)."
    )
    return Grade(score, {"return": score}, feedback)


_GRADERS = {"throughput": _throughput, "latency": _latency, "balance": _balance, "bound": _bound}
