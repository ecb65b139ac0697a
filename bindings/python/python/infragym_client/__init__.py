"""The former name of `infragym.remote`."""

import warnings

from infragym.remote import BatchConnection, InfraGymEnv, InfraGymVectorEnv, ServerError

warnings.warn(
    "infragym_client is now infragym.remote: import that instead",
    DeprecationWarning,
    stacklevel=2,
)

__all__ = ["BatchConnection", "InfraGymEnv", "InfraGymVectorEnv", "ServerError"]
