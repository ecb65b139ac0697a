"""InfraGym: environments for computing infrastructure, stepped in this process by a native core.

Example:
    >>> import gymnasium as gym, infragym
    >>> env = gym.make("InfraGym/autoscaling-easy-v1")
    >>> observation, info = env.reset(seed=0)
    >>> envs = infragym.make_vec("autoscaling/easy-v1", num_envs=1024, copy=False)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._core import version as _version

__version__ = _version()

#: Public names and the modules that have them; loaded when they are first asked for, so that
#: `import infragym` costs little and needs none of the optional packages.
_NAMES = {
    "Bundle": "bundle",
    "BundleError": "bundle",
    "EpisodeResult": "evaluation",
    "Grade": "graders",
    "InfraGymEnv": "env",
    "InfraGymVectorEnv": "vector_env",
    "LinearPolicy": "policies",
    "SnapshotError": "snapshot",
    "TabularPolicy": "policies",
    "evaluate": "evaluation",
    "grade": "graders",
    "load": "bundle",
    "make": "env",
    "make_vec": "vector_env",
    "task_ids": "bundle",
}
__all__ = sorted(_NAMES)

if TYPE_CHECKING:
    from .bundle import Bundle, BundleError, load, task_ids
    from .env import InfraGymEnv, make
    from .evaluation import EpisodeResult, evaluate
    from .graders import Grade, grade
    from .policies import LinearPolicy, TabularPolicy
    from .snapshot import SnapshotError
    from .vector_env import InfraGymVectorEnv, make_vec


def __getattr__(name: str) -> Any:
    module = _NAMES.get(name)
    if module is None:
        raise AttributeError(f"module 'infragym' has no attribute {name!r}")
    return getattr(import_module(f".{module}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES])


def _register() -> None:
    from .registration import register

    register()


_register()
