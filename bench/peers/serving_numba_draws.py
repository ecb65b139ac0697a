"""Two sources of a step's random numbers for ``serving_numba.py``.

A draw gives arrivals, a prompt length and three factors Normal(1, noise_std).
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import poisson

from serving_numba_params import Params, compiled

GUIDE = 256
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FACTOR_1 = np.uint64(0xBF58476D1CE4E5B9)
FACTOR_2 = np.uint64(0x94D049BB133111EB)
LOW_24_BITS = np.uint64(0xFFFFFF)
TURN_F32 = np.float32(2.0 * np.pi / 2**24)
UNIT_F32 = np.float32(2.0**-24)


def compile_generator_draw(p: Params) -> Callable:
    """Draws from NumPy's Generator, which all environments share."""

    @compiled
    def draw(rng, _):
        arrivals = rng.poisson(p.arrival_rate)
        prompt = p.prompt_low + (p.prompt_high - p.prompt_low) * rng.random()
        noise_p50 = 1.0 + p.noise_std * rng.standard_normal()
        noise_p99 = 1.0 + p.noise_std * rng.standard_normal()
        noise_tpot = 1.0 + p.noise_std * rng.standard_normal()
        return float(arrivals), prompt, noise_p50, noise_p99, noise_tpot

    return draw


def make_states(num_envs: int, seed: int) -> np.ndarray:
    """A SplitMix64 state for each environment."""
    return np.random.default_rng(seed).integers(0, 2**64, num_envs, dtype=np.uint64)


@compiled
def mix(z):
    z = (z ^ (z >> np.uint64(30))) * FACTOR_1
    z = (z ^ (z >> np.uint64(27))) * FACTOR_2
    return z ^ (z >> np.uint64(31))


@compiled
def radius(word):
    """Box and Muller's radius from a word's top 24 bits, f32."""
    unit = (np.float32(word >> np.uint64(40)) + np.float32(1)) * UNIT_F32
    return np.sqrt(np.float32(-2) * np.log(unit))


@compiled
def angle(word):
    return np.float32(word & LOW_24_BITS) * TURN_F32


def compile_own_draw(p: Params) -> Callable:
    """Three words of SplitMix64: arrivals by inversion, normals by Box and Muller in f32."""
    rate = p.arrival_rate
    cdf = poisson.cdf(np.arange(int(rate + 20 * rate**0.5) + 20), rate)
    guide = np.searchsorted(cdf, np.arange(GUIDE) / GUIDE, side="right")
    width = p.prompt_high - p.prompt_low
    noise_std = np.float32(p.noise_std)

    @compiled
    def draw(states, i):
        state = states[i]
        first = mix(state + GOLDEN)
        second = mix(state + GOLDEN * np.uint64(2))
        third = mix(state + GOLDEN * np.uint64(3))
        states[i] = state + GOLDEN * np.uint64(3)
        share = float(first >> np.uint64(24)) * 2.0**-40
        arrivals = guide[int(share * GUIDE)]
        while share >= cdf[arrivals]:
            arrivals += 1
        prompt = p.prompt_low + width * (float(first & LOW_24_BITS) * 2.0**-24)
        spread = noise_std * radius(second)
        noise_p50 = 1.0 + spread * np.cos(angle(second))
        noise_p99 = 1.0 + spread * np.sin(angle(second))
        noise_tpot = 1.0 + noise_std * radius(third) * np.cos(angle(third))
        return float(arrivals), prompt, noise_p50, noise_p99, noise_tpot

    return draw
