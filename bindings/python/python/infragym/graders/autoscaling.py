"""Grader of autoscaling: survival-weighted score, and the origin's beside it."""

from __future__ import annotations

from . import EMPTY, Context, Grade, Rules, Statistics
from .numbers import exp, fixed, plain

_VARIANCE_SCALE = 100


def grade(rules: Rules, s: Statistics, context: Context) -> Grade:
    """Grades an episode by its statistics; one without a step scores 0."""
    steps = s["length_steps"]
    if not steps > 0:
        return EMPTY
    variance = (s["cpu_m2"] / steps + s["memory_m2"] / steps) / 2
    price = s["price_sum"] / steps
    stability = exp(0 - variance / _VARIANCE_SCALE)
    efficiency = 1 / price if price > 0 else 1.0
    performance = s["episode_return"] / steps
    score = s["episode_return"] / rules["horizon_steps"]
    breakdown = {
        "score": score,
        "final_score": 0.3 * stability + 0.3 * efficiency + 0.4 * performance,
        "passed": 1.0 if score >= rules["score_threshold"] else 0.0,
        "stability_score": stability,
        "efficiency_score": efficiency,
        "performance_score": performance,
        "avg_reward": performance,
        "avg_cpu": s["cpu_mean"],
        "avg_memory": s["memory_mean"],
        "avg_latency": s["latency_sum"] / steps,
        "avg_instances": s["instances_sum"] / steps,
        "steps": steps,
        "cumulative_reward": s["episode_return"],
        "sla_violation_rate": s["sla_violation_sum"] / steps,
        "total_price": s["price_sum"],
        "over_budget_steps": s["over_budget_sum"],
    }
    return Grade(score, breakdown, _describe(breakdown, rules))


def _describe(b: Statistics, rules: Rules) -> str:
    end = "An overload ended it" if b["steps"] < rules["horizon_steps"] else "It lasted"
    budget = rules["budget"]
    spent = (
        f" Spent {fixed(b['total_price'], 1)} of {plain(budget)} price units."
        if budget is not None
        else ""
    )
    return (
        f"Score {fixed(b['score'], 3)} (the origin's final score {fixed(b['final_score'], 3)}). "
        f"{end} after {plain(b['steps'])} of {plain(rules['horizon_steps'])} steps with CPU at "
        f"{fixed(b['avg_cpu'], 1)}% and memory at {fixed(b['avg_memory'], 1)}% on average, on "
        f"{fixed(b['avg_instances'], 1)} instances; latency above its SLA in "
        f"{fixed(100 * b['sla_violation_rate'], 0)}% of the steps.{spent}"
    )
