"""gymnax's CartPole-v1: a whole rollout compiled by XLA, on one thread of the CPU."""

import os

# Read once, when jax is imported.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import gymnax  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

SCAN_STEPS = 256


def make(options: dict[str, Any]) -> Callable[[], int]:
    """A function that takes some steps and returns how many."""
    num_envs = options["num_envs"]
    is_random = options["actions"] == "random"
    env, params = gymnax.make("CartPole-v1")
    reset_all = jax.vmap(env.reset, in_axes=(0, None))
    step_all = jax.vmap(env.step, in_axes=(0, 0, 0, None))

    def step(carry, _):
        key, states = carry
        key, step_key, action_key = jax.random.split(key, 3)
        actions = jnp.zeros(num_envs, jnp.int32)
        if is_random:
            actions = jax.random.randint(action_key, (num_envs,), 0, 2)
        step_keys = jax.random.split(step_key, num_envs)
        _, states, rewards, *_ = step_all(step_keys, states, actions, params)
        return (key, states), rewards.sum()

    @jax.jit
    def roll(key, states):
        (key, states), rewards = jax.lax.scan(step, (key, states), None, length=SCAN_STEPS)
        return key, states, rewards.sum()

    key, reset_key = jax.random.split(jax.random.PRNGKey(0))
    _, states = reset_all(jax.random.split(reset_key, num_envs), params)

    def run() -> int:
        nonlocal key, states
        key, states, total = roll(key, states)
        total.block_until_ready()
        return SCAN_STEPS * num_envs

    return run
