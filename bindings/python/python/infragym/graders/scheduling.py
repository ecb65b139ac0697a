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
    unclipped = (own - baseline) / room if room > 0 else float(own >= baseline)
    score = max(0.0, min(unclipped, 1.0))
    breakdown = {"return": own, "baseline_return": baseline, "bound": bound}
    breakdown["score_unclipped"] = unclipped
    # Of a bound of 0 there is no share to speak of.
    if bound < 0:
        breakdown["above_bound_percent"] = 100 * (own / bound - 1)
    breakdown.update(metrics(s))
    return Grade(score, breakdown, _describe(breakdown))


def metrics(s: Statistics) -> dict[str, float]:
    """What is reported of an episode; all zero where it has no step."""
    steps = s["length_steps"]
    return {
        "sla_violation_rate": over(s["violated_jobs_sum"], s["arrivals_sum"]),
        "violations_per_job": over(s["violations_sum"], s["arrivals_sum"]),
        "mean_power_watts": over(s["power_watts_sum"], steps),
        "energy_kwh": s["power_watts_sum"] * _HOURS_PER_STEP / 1000,
        # A job is counted as waiting once for every step that it waits.
        "wait_steps_mean": over(s["waiting_sum"], s["placed_sum"] + _censored_jobs(s)),
        "wait_steps_p95": wait_quantile(s, 0.95),
        "censored_jobs": _censored_jobs(s),
        "completed_jobs": s["completed_sum"],
        "dropped_jobs": s["dropped_sum"],
        "utilization_ratio": over(s["utilization_ratio_sum"], steps),
        "num_toggles": s["toggles_sum"],
        "invalid_actions": s["invalid_actions_sum"],
    }


def _censored_jobs(s: Statistics) -> float:
    """Jobs that came, were not dropped and have not been placed."""
    return s["arrivals_sum"] - s["dropped_sum"] - s["placed_sum"]


def bin_start(bin_number: int) -> float:
    """Least wait of a bin: bins of one step are 0 .. 39, then there are 20 an octave."""
    if bin_number < 40:
        return bin_number
    return (20 + bin_number % 20) * 2.0 ** (bin_number // 20 - 1)


def _bin_of(steps: int) -> int:
    if steps < 40:
        return steps
    octave = (steps // 40).bit_length() - 1
    return 20 * (octave + 1) + (steps >> (octave + 1))


def wait_quantile(s: Statistics, share: float) -> float:
    """The wait that a share of the jobs did not exceed; 0 where no job has come.

    Jobs that still wait are in the histogram once the episode has ended; before, they count with
    the mean of their waits.
    """
    names = (f"wait_histogram_{k}" for k in range(len(s)))
    counts = [s[name] for name in names if name in s]
    missing = s["placed_sum"] + _censored_jobs(s) - sum(counts)
    if missing > 0:
        waited = (s["waiting_sum"] - s["wait_steps_sum"]) / _censored_jobs(s)
        counts[_bin_of(int(waited + 0.5))] += missing
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
    censored = b["censored_jobs"]
    utilisation = fixed(100 * b["utilization_ratio"], 0)
    return (
        f"{fixed(100 * b['sla_violation_rate'], 1)}% of the jobs missed a deadline, at a mean "
        f"power of {fixed(b['mean_power_watts'], 0)} W and {utilisation}% "
        f"utilisation; jobs waited {fixed(b['wait_steps_mean'], 1)} steps on average "
        f"(p95 {fixed(b['wait_steps_p95'], 0)}). The return is {difference} {versus} round-robin's."
        + (f" {plain(censored)} jobs still wait, counted as long as so far." * (censored > 0))
        + (f" {plain(invalid)} actions were infeasible." * (invalid > 0))
    )
