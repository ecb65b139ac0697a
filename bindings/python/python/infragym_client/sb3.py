"""The former name of `infragym.sb3`."""

from infragym.sb3 import InfraGymSB3VecEnv

__all__ = ["InfraGymSB3VecEnv"]
