"""Real clients against a running server: `check.py BASE_URL`. Prints a line for each check."""

import json
import sys
import urllib.request
import warnings

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env
from infragym.remote import InfraGymEnv, InfraGymVectorEnv
from openenv.core import GenericEnvClient

BASE = sys.argv[1]


def tasks() -> list[str]:
    with urllib.request.urlopen(f"{BASE}/tasks") as reply:
        return [task["env_id"] for task in json.load(reply)["tasks"]]


def play_openenv(url: str) -> None:
    """A whole episode of the baseline through OpenEnv's own client."""
    with GenericEnvClient(base_url=url).sync() as env:
        result = env.reset(seed=1, episode_id="check")
        steps = 0
        while not result.done:
            result = env.step({})
            steps += 1
            assert np.isfinite(result.reward)
        state = env.state()
        assert state["episode_id"] == "check", state
        assert state["step_count"] == steps > 0, state
        assert result.observation["terminated"] or result.observation["truncated"]


def check_single(task: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bounds of a Box are the task's own, not [-1, 1]
        env = InfraGymEnv(task, base_url=BASE)
        check_env(env, skip_render_check=True)
        env.close()


def check_batch(task: str) -> None:
    """Environment i of a batch is the single one with the i-th seed, to the bit."""
    batch = InfraGymVectorEnv(task, num_envs=3, base_url=BASE)
    assert isinstance(batch, gymnasium.vector.VectorEnv)
    batch.action_space.seed(0)
    rows, _ = batch.reset(seed=5)
    singles = [InfraGymEnv(task, base_url=BASE) for _ in range(3)]
    firsts = [env.reset(seed=5 + i)[0] for i, env in enumerate(singles)]
    assert np.array_equal(rows, np.stack(firsts))
    for _ in range(3):
        actions = batch.action_space.sample()
        rows, rewards, terminated, truncated, _ = batch.step(actions)
        for i, env in enumerate(singles):
            row, reward, *_ = env.step(actions[i])
            assert np.array_equal(rows[i], row) and np.float32(rewards[i]) == np.float32(reward)
        if np.any(terminated | truncated):
            break
    for env in [batch, *singles]:
        env.close()


def main() -> int:
    failed = 0
    checks = [("GenericEnvClient at the root", play_openenv, BASE)]
    for task in tasks():
        checks.append((f"GenericEnvClient {task}", play_openenv, f"{BASE}/openenv/{task}"))
        checks.append((f"check_env {task}", check_single, task))
        checks.append((f"VectorEnv {task}", check_batch, task))
    for name, check, argument in checks:
        try:
            check(argument)
            print(f"ok {name}")
        except Exception as error:
            failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
