"""Grader of provisioning: the return over a clairvoyant bound on the same arrivals."""

from __future__ import annotations

from . import EMPTY, Context, Grade, Rules, Statistics, require
from .numbers import fixed, over, plain


def grade(rules: Rules, s: Statistics, context: Context) -> Grade:
    """Grades an episode by its statistics; one without a step scores 0."""
    bound = require(context.bound, "bound", "that of the same episode is needed")
    steps = s["length_steps"]
    if not steps > 0:
        return EMPTY
    own = s["episode_return"]
    share = own / bound if bound > 0 else 0.0
    arrivals = s["arrivals_sum"]
    breakdown = {
        "return": own,
        "bound": bound,
        "served_fraction": s["processed_sum"] / arrivals if arrivals > 0 else 1.0,
        "queue_mean": s["queue_sum"] / steps,
        "wait_steps_mean": over(s["queue_sum"], arrivals),
        "money_left_usd": rules["budget_usd"] - s["cost_usd_sum"],
        "ended_by_budget": 1.0 if s["budget_exhausted_sum"] > 0 else 0.0,
    }
    score = min(share, 1.0) if share > 0 else 0.0
    return Grade(score, breakdown, _describe(breakdown, steps))


def _describe(b: Statistics, steps: float) -> str:
    end = "The budget" if b["ended_by_budget"] == 1 else "Time"
    return (
        f"Return {fixed(b['return'], 1)} of at most {fixed(b['bound'], 1)} dollars. "
        f"Served {fixed(100 * b['served_fraction'], 0)}% of the jobs, which waited "
        f"{fixed(b['wait_steps_mean'], 2)} steps on average (mean queue "
        f"{fixed(b['queue_mean'], 1)}). {end} ended the episode after {plain(steps)} steps with "
        f"{fixed(b['money_left_usd'], 2)} dollars left."
    )
