"""Plays a policy on seeds and grades the episodes, as the TypeScript `evaluateEpisodes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np

from . import policies
from .batch import Batch
from .bundle import Bundle, bundle_of
from .graders import Context, grade_by
from .learned import LearnedPolicy
from .seeding import parse_seed

#: Environments that are played side by side.
BATCH_MAX = 1024

#: A policy: a name (`baseline`, `random`, a heuristic of the task), parameters of the core's, or a
#: function from observations f32 [n, observation_dim] and masks int8 [n, mask_dim] (or None) to
#: actions [n] or [n, action_dim], in the numbers of spaces that begin at 0; or a learned one.
Policy = policies.CorePolicy | LearnedPolicy | Callable[[np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True)
class EpisodeResult:
    """One graded episode.

    Attributes:
        seed: whose episode 0 it is.
        score: 0 .. 1.
        episode_return: sum of the rewards.
        length: steps.
    """

    seed: int
    score: float
    breakdown: Mapping[str, float]
    feedback: str
    episode_return: float
    length: int
    statistics: Mapping[str, float]


def evaluate(
    task: str | PathLike[str] | Bundle,
    policy: Policy,
    seeds: Sequence[int],
    *,
    threads: int = 1,
) -> list[EpisodeResult]:
    """Plays episode 0 of every seed under a policy and grades it, in the order of the seeds.

    `random` is the core's own random policy; Node's of the same name draws otherwise.

    Raises:
        ValueError: for no seeds, a seed that is none, an unknown policy and a refused action.

    Example:
        >>> results = evaluate("autoscaling/easy-v1", "hpa", range(100))
        >>> sum(result.score for result in results) / len(results)
    """
    bundle = bundle_of(task)
    numbers = [parse_seed(seed, f"seeds[{i}]") for i, seed in enumerate(seeds)]
    if not numbers:
        raise ValueError("seeds is empty: at least one seed is needed")
    rules = bundle.description["grader"]
    baselines = baseline_returns(bundle, numbers) if rules["needs_baseline"] else None
    results = []
    for i, statistics in enumerate(_play(bundle, policy, numbers, threads)):
        bound = bundle.task().bound(numbers[i], 0) if rules["needs_bound"] else None
        context = Context(None if baselines is None else baselines[i], bound)
        grade = grade_by(rules, statistics, context)
        results.append(
            EpisodeResult(
                numbers[i],
                grade.score,
                grade.breakdown,
                grade.feedback,
                statistics["episode_return"],
                int(statistics["length_steps"]),
                statistics,
            )
        )
    return results


def baseline_returns(bundle: Bundle, seeds: Sequence[int], episode: int = 0) -> list[float]:
    """Returns of the task's fixed baseline on an episode of every seed."""
    played = _play(bundle, "baseline", seeds, 1, episode)
    return [statistics["episode_return"] for statistics in played]


def _play(
    bundle: Bundle, policy: Policy, seeds: Sequence[int], threads: int, episode: int = 0
) -> list[dict[str, float]]:
    """Statistics of an episode of every seed."""
    statistics: list[dict[str, float]] = []
    for at in range(0, len(seeds), BATCH_MAX):
        chunk = seeds[at : at + BATCH_MAX]
        batch = Batch(bundle, len(chunk), "disabled", threads=threads)
        batch.reset(list(chunk), None)
        for _ in range(episode):
            batch.reset(None, None)
        _play_to_end(batch, policy)
        rows = batch.statistics_rows().tolist()
        statistics += [dict(zip(bundle.statistics_names, row, strict=True)) for row in rows]
        batch.close()
    return statistics


def _play_to_end(batch: Batch, policy: Policy) -> None:
    """Steps until every environment has finished; those that have stand still."""
    length = batch.bundle.description["episode_length"]
    baseline = batch.bundle.description["baseline"]
    if policy == "baseline" and baseline["heuristic"] is not None:
        policy = baseline["heuristic"]
    if isinstance(policy, LearnedPolicy):
        policy = policy.bind(batch.bundle)
    if isinstance(policy, str) and policy in ("baseline", "constant"):
        batch.arrays["actions"][...] = baseline["row"]
        policy = "constant"
    if not callable(policy):
        batch.rollout(policy, length)
        return
    masks = batch.arrays["masks"].view(np.int8) if batch.arrays["masks"].size else None
    while batch.core.count_finished() < batch.num_envs:
        seen = batch.arrays["observations"].copy()
        batch.core.step_with(np.asarray(policy(seen, None if masks is None else masks.copy())))
