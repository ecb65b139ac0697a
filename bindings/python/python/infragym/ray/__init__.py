"""Ray: sweeps over machines, and environments for RLlib. Needs `pip install infragym[ray]`."""

from .executor import executor, measure
from .rllib import env_creator, register_envs, vector_env_creator

__all__ = ["env_creator", "executor", "measure", "register_envs", "vector_env_creator"]
