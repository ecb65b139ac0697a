"""Grader of scheduling: the return between round-robin's and a bound that no policy reaches."""

from __future__ import annotations

from . import EMPTY, Context, Grade, Rules, Statistics, require
from .numbers import fixed, over, plain

#: A step of the clock stands for a minute.
_HOURS_PER_STEP = 1 / 60


def grade(rules: Rules, s: Statistics, context: Context) -> Grade:
    """Grades an episode by its statistics; one without a step scores 0."""
    if not s["length_steps"] > 0:
        return EMPTY
    needed = "the return of rr on the same seed is needed"
    baseline = require(context.baseline_return, "baseline_return", needed)
    bound = require(context.bound, "bound", "that of the same episode is needed")
    own = s["episode_return"]
    # Where round-robin is as good as the bound there is nothing to win.
    room = bound - baseline
    share = (own - baseline) / room if room > 0 else float(own >= baseline)
    score = max(0.0, min(share, 1.0))
    breakdown = {"return": own, "baseline_return": baseline, "bound": bound, **metrics(s)}
    return Grade(score, breakdown, _describe(breakdown))


def metrics(s: Statistics) -> dict[str, float]:
    """What is reported of an episode; all zero where it has no step."""
    steps = s["length_steps"]
    return {
        "sla_violation_rate": over(s["violated_jobs_sum"], s["arrivals_sum"]),
        "violations_per_job": over(s["violations_sum"], s["arrivals_sum"]),
        "mean_power_watts": over(s["power_watts_sum"], steps),
        "energy_kwh": s["power_watts_sum"] * _HOURS_PER_STEP / 1000,
        "wait_steps_mean": over(s["wait_steps_sum"], s["placed_sum"]),
        "wait_steps_p95": wait_quantile(s, 0.95),
        "completed_jobs": s["completed_sum"],
        "dropped_jobs": s["dropped_sum"],
        "utilization_ratio": over(s["utilization_ratio_sum"], steps),
        "num_toggles": s["toggles_sum"],
        "invalid_actions": s["invalid_actions_sum"],
    }


def bin_start(bin_number: int) -> float:
    """Least wait of a bin; its bins of one step are 0 .. 15, then there are four an octave."""
    if bin_number < 16:
        return bin_number
    return (4 + bin_number % 4) * 2.0 ** (bin_number // 4 - 2)


def wait_quantile(s: Statistics, share: float) -> float:
    """The wait that a share of the placed jobs did not exceed; 0 where none was placed."""
    names = (f"wait_histogram_{k}" for k in range(len(s)))
    counts = [s[name] for name in names if name in s]
    total = sum(counts)
    if total == 0:
        return 0.0
    below, number = counts[0], 0
    while below < share * total:
        number += 1
        below += counts[number]
    width = bin_start(number + 1) - bin_start(number)
    within = (share * total - (below - counts[number])) / counts[number]
    return bin_start(number) + (width - 1) * within


def _describe(b: Statistics) -> str:
    versus = "above" if b["return"] >= b["baseline_return"] else "below"
    difference = fixed(abs(b["return"] - b["baseline_return"]), 0)
    invalid = b["invalid_actions"]
    utilisation = fixed(100 * b["utilization_ratio"], 0)
    return (
        f"{fixed(100 * b['sla_violation_rate'], 1)}% of the jobs missed a deadline, at a mean "
        f"power of {fixed(b['mean_power_watts'], 0)} W and {utilisation}% "
        f"utilisation; jobs waited {fixed(b['wait_steps_mean'], 1)} steps on average "
        f"(p95 {fixed(b['wait_steps_p95'], 0)}). The return is {difference} {versus} round-robin's."
        + (f" {plain(invalid)} actions were infeasible." if invalid > 0 else "")
    )
