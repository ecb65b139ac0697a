"""What environments of both kinds, here and on a server, read of their callers' options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from .seeding import SEED_MAX, fresh_seed, parse_seed

#: Gymnasium's modes by the core's names.
MODES = {
    AutoresetMode.NEXT_STEP: "next_step",
    AutoresetMode.SAME_STEP: "same_step",
    AutoresetMode.DISABLED: "disabled",
}


def mode_of(mode: AutoresetMode | str) -> AutoresetMode:
    """An autoreset mode by itself or by its name."""
    for known, name in MODES.items():
        if mode == known or (isinstance(mode, str) and mode.lower() == name):
            return known
    needed = ", ".join(MODES.values())
    raise ValueError(f"autoreset_mode is {mode!r}: one of {needed} is needed")


def config_of(
    options: Mapping[str, Any] | None, known: tuple[str, ...]
) -> Mapping[str, Any] | None:
    """The configuration that a reset's options ask for; None where they ask for none.

    Raises:
        ValueError: for an unknown option.
    """
    unknown = next((name for name in options or {} if name not in known), None)
    if unknown is not None:
        raise ValueError(f"options[{unknown!r}] is unknown: {', '.join(known)} are known")
    config = (options or {}).get("config")
    if config is None or isinstance(config, Mapping):
        return config
    raise TypeError(f"options['config'] is of type {type(config).__name__}: a dict is needed")


def mask_of(options: Mapping[str, Any] | None, num_envs: int) -> np.ndarray | None:
    """The mask that a batch's reset is given, checked; the configuration too."""
    config_of(options, ("reset_mask", "config"))
    mask = (options or {}).get("reset_mask")
    if mask is None:
        return None
    is_right = isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (num_envs,)
    if not is_right or not mask.any():
        needed = f"a bool array of shape ({num_envs},) with a True in it is needed"
        raise ValueError(f"options['reset_mask'] is {mask!r:.80}: {needed}")
    return mask


def seeds_of(seed: int | Sequence[int | None] | None, num_envs: int) -> Sequence[int | None] | None:
    """Seeds of every environment: s + i, or those of a list."""
    if seed is None:
        return None
    if not isinstance(seed, (Sequence, np.ndarray)):
        first = parse_seed(seed)
        return [(first + i) & SEED_MAX for i in range(num_envs)]
    if len(seed) != num_envs:
        raise ValueError(f"seed has {len(seed)} numbers: num_envs = {num_envs} are needed")
    return [None if each is None else parse_seed(each, f"seed[{i}]") for i, each in enumerate(seed)]


def with_fresh(seeds: Sequence[int | None] | None, num_envs: int) -> Sequence[int | None]:
    """Seeds of a first reset: fresh ones where none were given."""
    given = [None] * num_envs if seeds is None else seeds
    if None not in given:
        return given
    fresh = fresh_seed()
    return [fresh + i if each is None else each for i, each in enumerate(given)]
