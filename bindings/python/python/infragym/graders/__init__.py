"""Grades of episodes, equal to the TypeScript library's to the bit.

One module a family, by the family's name, with `grade(rules, statistics, context)`; the rules are
the numbers of the bundle's `grader` entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from ..bundle import Bundle

Statistics = Mapping[str, float]
Rules = Mapping[str, Any]


@dataclass(frozen=True)
class Grade:
    """What a grader says of an episode.

    Attributes:
        score: 0 .. 1.
        breakdown: one number per component of the score.
        feedback: a sentence or two for a person.
    """

    score: float
    breakdown: Mapping[str, float]
    feedback: str


EMPTY = Grade(0.0, {}, "Empty episode log.")


class Context(NamedTuple):
    """What a grader may need beside the episode's own statistics."""

    baseline_return: float | None = None
    bound: float | None = None


def grade(
    bundle: Bundle,
    statistics: Statistics,
    *,
    seed: int,
    episode: int = 0,
    baseline_return: float | None = None,
) -> Grade:
    """Grades an episode by its statistics.

    Args:
        bundle: the task.
        statistics: of the finished episode, by name.
        seed: the episode's; the fixed baseline plays it where the score is normalised by its
            return, unless `baseline_return` is given.
        episode: its number.

    Raises:
        NotImplementedError: where the package has no grader for the task's family.
    """
    rules = bundle.description["grader"]
    needs_baseline = rules["needs_baseline"] and baseline_return is None
    if needs_baseline and statistics["length_steps"] > 0:
        from ..evaluation import baseline_returns

        baseline_return = baseline_returns(bundle, [seed], episode)[0]
    bound = bundle.task().bound(seed, episode) if rules["needs_bound"] else None
    return grade_by(rules, statistics, Context(baseline_return, bound))


def grade_by(rules: Rules, statistics: Statistics, context: Context) -> Grade:
    """Grades by rules alone: what `grade` does once baseline and bound are known."""
    family = rules["kind"].partition("/")[0]
    try:
        module = import_module(f".{family}", __name__)
    except ModuleNotFoundError as error:
        message = f"grader {rules['kind']!r} is not in this package: grade with the npm package"
        raise NotImplementedError(message) from error
    return module.grade(rules, statistics, context)


def require(value: float | None, name: str, needed: str) -> float:
    """What a context must have.

    Raises:
        ValueError: where it is missing.
    """
    if value is None:
        raise ValueError(f"{name} is missing: {needed}")
    return value
