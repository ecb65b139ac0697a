"""Environments that an InfraGym server steps, over its batch WebSocket, under Gymnasium's API.

Needs `pip install infragym[remote]` and a server: `infragym serve` of the npm package.
"""

from .connection import BatchConnection, ServerError
from .env import InfraGymEnv
from .vector_env import InfraGymVectorEnv

__all__ = ["BatchConnection", "InfraGymEnv", "InfraGymVectorEnv", "ServerError"]
