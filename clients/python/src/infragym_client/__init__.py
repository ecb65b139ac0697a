"""Gymnasium environments over InfraGym's batch WebSocket."""

from .connection import BatchConnection, ServerError
from .envs import InfraGymEnv, InfraGymVectorEnv

__all__ = ["BatchConnection", "InfraGymEnv", "InfraGymVectorEnv", "ServerError"]
