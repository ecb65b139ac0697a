"""PufferLib's ``squared`` in C: an agent on an 11 × 11 board walks to a target.

Only the compiled extension is loaded: the package itself would import what it was built with.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

SIZE = 11
ACTIONS = 5
CHUNK_STEPS = 64


def load_extension(name: str) -> ModuleType:
    """The compiled environment ``pufferlib.ocean.NAME.cy_NAME``, without its package."""
    package = importlib.util.find_spec("pufferlib")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("pufferlib is not installed: node bench/peers/install.mjs")
    folder = Path(package.origin).parent / "ocean" / name
    (path,) = folder.glob(f"cy_{name}.*.so")
    spec = importlib.util.spec_from_file_location(f"cy_{name}", path)
    module = importlib.util.module_from_spec(spec)
    # Its C function `step` would otherwise be the C library's function of that name, which blocks.
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
    spec.loader.exec_module(module)
    return module


def make(options: dict[str, Any]) -> Callable[[], int]:
    """A function that takes some steps and returns how many."""
    num_envs = options["num_envs"]
    observations = np.zeros((num_envs, SIZE * SIZE), np.uint8)
    actions = np.zeros(num_envs, np.int32)
    rewards = np.zeros(num_envs, np.float32)
    terminals = np.zeros(num_envs, np.uint8)
    extension = load_extension("squared")
    envs = extension.CySquared(observations, actions, rewards, terminals, num_envs, SIZE)
    drawn = np.random.default_rng(0).integers(0, ACTIONS, (CHUNK_STEPS, num_envs), np.int32)
    rows = cycle(drawn)
    envs.reset()

    def run() -> int:
        for _ in range(CHUNK_STEPS):
            actions[:] = next(rows)
            envs.step()
        return CHUNK_STEPS * num_envs

    return run
