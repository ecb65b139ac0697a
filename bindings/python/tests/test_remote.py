"""The remote client: the same environments, stepped by a server."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import time
import urllib.request
import warnings

import gymnasium as gym
import infragym
import numpy as np
import pytest
from conftest import ROOT
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils.env_checker import check_env
from infragym import remote
from infragym.remote import ServerError
from test_gymnasium import NOT_OURS

MODES = ["next_step", "same_step", "disabled"]


@pytest.fixture(scope="module")
def url():
    node = shutil.which("node")
    arguments = ["bin/infragym.mjs", "serve", "--port", "0", "--rate-limit", "0"]
    environment = {**os.environ, "INFRAGYM_DATA_DIR": ":memory:"}
    server = subprocess.Popen(
        [node, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(20)


def batches(url: str) -> int:
    """Batches that the server has in use."""
    with urllib.request.urlopen(f"{url}/metrics") as reply:
        lines = reply.read().decode().splitlines()
    found = [line for line in lines if line.startswith("infragym_batches")]
    return int(float(found[0].split()[-1]))


def wait_until(condition, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("mode", MODES)
def test_equal_to_the_core_in_process(url, mode, task):
    here = infragym.make_vec(task, 5, autoreset_mode=mode)
    there = remote.InfraGymVectorEnv(task, 5, url, autoreset_mode=mode)
    assert here.single_action_space == there.single_action_space
    assert here.single_observation_space == there.single_observation_space
    seeds = [3, 9, 10, 2**64 - 1, 0]
    assert np.array_equal(here.reset(seed=seeds)[0], there.reset(seed=seeds)[0])
    here.action_space.seed(1)
    for step in range(40):
        actions = here.action_space.sample()
        if here.bundle.description["action_dtype"] == "real":
            actions = np.rint(actions)
        mine, theirs = here.step(actions), there.step(actions)
        for a, b in zip(mine[:4], theirs[:4], strict=True):
            assert a.dtype == b.dtype
            assert np.array_equal(a, b)
        for name in ("cost", "action_mask"):
            assert np.array_equal(mine[4].get(name), theirs[4].get(name))
        assert ("final_obs" in mine[4]) == ("final_obs" in theirs[4])
        ended = mine[2] | mine[3]
        if ended.any() and mode == "same_step":
            for a, b in zip(mine[4]["final_obs"], theirs[4]["final_obs"], strict=True):
                assert np.array_equal(a, b)
        mask = ended if mode == "disabled" and ended.any() else None
        if step == 20 and mask is None:
            mask = np.array([True, False, True, False, False])
        if mask is not None:
            options = {"reset_mask": mask}
            first, second = here.reset(options=options), there.reset(options=options)
            assert np.array_equal(first[0], second[0])
    mine_statistics, their_statistics = here.statistics(), there.statistics()
    for name, column in mine_statistics.items():
        assert np.array_equal(column, their_statistics[name])
    there.close()


def test_check_env(url, task):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        env = remote.InfraGymEnv(task, url)
        check_env(env, skip_render_check=True)
        env.close()
    ours = [w for w in caught if not any(known in str(w.message) for known in NOT_OURS)]
    assert ours == []


def test_masked_resets(url):
    env = remote.InfraGymVectorEnv("autoscaling/easy", 4, url)
    env.reset(seed=0)
    for _ in range(3):
        before = env.step(np.ones(4, int))[0]
    mask = np.array([True, False, False, False])
    after, _ = env.reset(options={"reset_mask": mask})
    assert np.array_equal(after[~mask], before[~mask])
    assert not np.array_equal(after[0], before[0])


def test_options_config(url):
    for make in (remote.InfraGymEnv, lambda *a: remote.InfraGymVectorEnv(a[0], 1, a[1])):
        env = make("autoscaling/easy", url)
        env.reset(seed=0, options={"config": {"max_steps": 5}})
        steps = 1
        while not np.any(env.step([1] if env.action_space.shape else 1)[2:4]):
            steps += 1
        assert steps == 5
        with pytest.raises(ServerError, match="max_step"):
            env.reset(options={"config": {"max_step": 5}})
        with pytest.raises(ValueError, match="nope"):
            env.reset(options={"nope": 1})
        env.close()


def test_refusals(url):
    env = remote.InfraGymEnv("autoscaling/easy", url)
    with pytest.raises(ResetNeeded):
        env.step(1)
    for seed in (2**64, 2**70, -1, 1.5):
        with pytest.raises((ValueError, TypeError), match="seed"):
            env.reset(seed=seed)
    env.reset(seed=2**64 - 1)
    for action in (np.nan, np.inf, 0.5, 99, -1, "x", None, [1, 2]):
        with pytest.raises(ValueError):
            env.step(action)
    while not any(env.step(0)[2:4]):
        pass
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.close()
    env.close()
    with pytest.raises(ClosedEnvironmentError):
        env.reset()
    real = remote.InfraGymVectorEnv("static-uniform", 2, url)
    real.reset(seed=0)
    with pytest.raises(ValueError, match="environment 1: action kv_budget is nan"):
        real.step([[1, 1, 0, 0, 0], [np.nan, 1, 0, 0, 0]])
    with pytest.raises(ServerError, match="task"):
        remote.InfraGymEnv("nope", url)
    with pytest.raises(ServerError, match="cannot be reached"):
        remote.InfraGymEnv("autoscaling/easy", "http://127.0.0.1:9")


def test_unseeded_environments_differ(url):
    envs = [remote.InfraGymEnv("scheduling/base", url) for _ in range(3)]
    for env in envs:
        env.reset()
    paths = [np.stack([env.step(1)[0] for _ in range(5)]) for env in envs]
    assert not any(np.array_equal(paths[0], other) for other in paths[1:])


def test_environments_that_are_closed_or_dropped_are_freed(url):
    before = batches(url)
    envs = [remote.InfraGymEnv("autoscaling/easy", url) for _ in range(5)]
    assert batches(url) == before + 5
    envs[0].close()
    assert wait_until(lambda: batches(url) == before + 4)
    del envs
    gc.collect()
    assert wait_until(lambda: batches(url) == before)


def test_old_name(url):
    with pytest.warns(DeprecationWarning, match=r"infragym\.remote"):
        import infragym_client
    assert infragym_client.InfraGymEnv is remote.InfraGymEnv
    env = infragym_client.InfraGymVectorEnv("provisioning/easy", num_envs=2, base_url=url)
    assert env.single_action_space == gym.spaces.Discrete(33)
    signed = infragym_client.InfraGymEnv("provisioning/easy", url, signed_actions=True)
    assert signed.action_space == gym.spaces.Discrete(33, start=-16)
    signed.reset(seed=0)
    signed.step(-16)


def test_descriptions_are_the_bundles(url, task):
    """`GET /info` and a bundle tell a task alike."""
    with urllib.request.urlopen(f"{url}/info") as reply:
        told = {entry["env_id"]: entry for entry in json.load(reply)["tasks"]}[task]
    description = infragym.make(task).bundle.description
    assert told["program_digest"] == description["program_digest"]
    assert told["actions"] == description["actions"]
    assert told["observation_space"] == description["observation_space"]
