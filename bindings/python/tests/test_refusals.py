"""What is refused, and by which words; nothing that is refused changes anything."""

from __future__ import annotations

import gc

import infragym
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from infragym.node import CompilerNotFound

TASKS = ["autoscaling/easy", "autoscaling/fleet", "static-uniform", "scheduling/base"]


def begun(task: str = "autoscaling/easy", num_envs: int = 3, **arguments):
    env = infragym.make_vec(task, num_envs, **arguments)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("name", TASKS)
def test_actions_that_are_none(name):
    env = begun(name)
    good = env.action_space.sample()
    digest = env.digest()
    bad = [
        good.astype(float) * np.nan,
        good.astype(float) + np.inf,
        good[:2],
        good.reshape(-1)[:1],
        np.array(["a", "b", "c"]),
        object(),
    ]
    if good.dtype.kind == "i":
        bad += [good + 10_000, good - 10_000, good + 0.5]
    for actions in bad:
        with pytest.raises((ValueError, TypeError)):
            env.step(actions)
        assert env.digest() == digest


@pytest.mark.parametrize("name", TASKS)
def test_single_actions_that_are_none(name):
    env = infragym.make(name)
    env.reset(seed=0)
    good = np.asarray(env.action_space.sample(), dtype=float)
    digest = env.digest()
    for action in (good * np.nan, good + np.inf, "x", None, [], np.zeros(99), object()):
        with pytest.raises((ValueError, TypeError)):
            env.step(action)
        assert env.digest() == digest


def test_messages_name_the_field():
    with pytest.raises(ValueError, match="environment 1: action change is NaN: an integer from 0"):
        begun().step(np.array([0, np.nan, 0]))
    with pytest.raises(ValueError, match="action kv_budget is inf: a finite number is needed"):
        begun("static-uniform", 1).step(np.full((1, 5), np.inf))
    with pytest.raises(ValueError, match=r"shape \(2,\): \(3,\) is needed"):
        begun().step(np.zeros(2, int))


def test_life():
    env = infragym.make("autoscaling/easy")
    for call in (lambda: env.step(0), env.snapshot, env.digest, lambda: env.rollout("random", 1)):
        with pytest.raises(ResetNeeded, match="call reset"):
            call()
    env.reset(seed=0)
    while not any(env.step(0)[2:4]):
        pass
    with pytest.raises(ResetNeeded, match="has finished"):
        env.step(0)
    env.reset()
    env.step(0)
    env.close()
    env.close()
    for call in (lambda: env.step(0), env.reset, env.digest, env.snapshot):
        with pytest.raises(ClosedEnvironmentError):
            call()


def test_life_of_a_batch():
    env = infragym.make_vec("autoscaling/easy", 4, autoreset_mode="disabled")
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(4, int))
    mask = np.array([True, False, False, False])
    with pytest.raises(ValueError, match="reset the whole batch first"):
        env.reset(options={"reset_mask": mask})
    env.reset(seed=0)
    with pytest.raises(ResetNeeded, match="environment . has finished"):
        for _ in range(300):
            env.step(np.zeros(4, int))
    env.close()
    for call in (lambda: env.step(np.zeros(4, int)), env.reset, env.statistics):
        with pytest.raises(ClosedEnvironmentError):
            call()


@pytest.mark.parametrize("seed", [-1, 2**64, 2**70, 1.5, "3", np.float64(2), True, [1, 2, 3]])
def test_seeds_that_are_none(seed):
    with pytest.raises((ValueError, TypeError), match="seed"):
        infragym.make("autoscaling/easy").reset(seed=seed)
    with pytest.raises((ValueError, TypeError), match="seed"):
        infragym.make_vec("autoscaling/easy", 2).reset(seed=seed)


def test_seeds():
    env = infragym.make("autoscaling/easy")
    assert np.array_equal(env.reset(seed=np.int64(3))[0], env.reset(seed=3)[0])
    env.reset(seed=2**64 - 1)
    batch = infragym.make_vec("autoscaling/easy", 4)
    by_list, _ = batch.reset(seed=[7, 3, None, 8])
    single = [env.reset(seed=seed)[0] for seed in (7, 3, 8)]
    assert np.array_equal(by_list[[0, 1, 3]], np.stack(single))
    ranged, _ = batch.reset(seed=range(4, 8))
    assert np.array_equal(ranged, batch.reset(seed=4)[0])
    with pytest.raises(ValueError, match=r"seed\[1\] is -1"):
        batch.reset(seed=[1, -1, 2, 3])


def test_unseeded_environments_differ():
    envs = [infragym.make("scheduling/base") for _ in range(4)]
    for env in envs:
        env.reset()
    paths = [np.stack([env.step(1)[0] for _ in range(5)]) for env in envs]
    assert not any(np.array_equal(paths[0], other) for other in paths[1:])
    a, b = (infragym.make_vec("autoscaling/easy", 4) for _ in range(2))
    assert not np.array_equal(a.reset()[0], b.reset()[0])
    assert a.digest() != b.digest()


def test_masked_resets_leave_the_others_alone():
    env = begun(num_envs=6)
    for _ in range(3):
        env.step(np.ones(6, int))
    before, _, _, _, _ = env.step(np.ones(6, int))
    mask = np.array([False, False, True, False, False, False])
    after, _ = env.reset(seed=50, options={"reset_mask": mask})
    assert np.array_equal(after[~mask], before[~mask])
    assert np.array_equal(after[2], infragym.make("autoscaling/easy").reset(seed=52)[0])
    wrong = [np.ones(5, bool), np.ones(6, int), [True] * 6, np.zeros(6, bool), "abc"]
    for each in wrong:
        with pytest.raises(ValueError, match="reset_mask"):
            env.reset(options={"reset_mask": each})
    with pytest.raises(ValueError, match="nope"):
        env.reset(options={"nope": 1})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"num_envs": 0}, "num_envs is 0"),
        ({"num_envs": 2**24 + 1}, "num_envs"),
        ({"num_envs": 1.5}, "num_envs is 1.5"),
        ({"threads": 0}, "threads is 0"),
        ({"autoreset_mode": "nextStep"}, "autoreset_mode is 'nextStep'"),
        ({"kernel": "gpu"}, "kernel is 'gpu'"),
        ({"action_space": "x"}, "action_space is 'x'"),
        ({"render_mode": "human"}, "render_mode is 'human'"),
    ],
)
def test_arguments_that_are_none(arguments, words):
    with pytest.raises(ValueError, match=words):
        infragym.make_vec("autoscaling/easy", **arguments)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_what_is_refused_at_once_is_dropped_in_silence():
    for arguments in ({"num_envs": 0}, {"autoreset_mode": "x"}, {"task": "nope"}):
        with pytest.raises(ValueError):
            infragym.InfraGymVectorEnv(**arguments)
        gc.collect()


def test_unknown_tasks_and_policies():
    with pytest.raises(ValueError, match="nearest are autoscaling/easy"):
        infragym.make("autoscalling/easy-v1")
    with pytest.raises(ValueError, match="one of constant, random, threshold"):
        begun().rollout("randm", 3)
    with pytest.raises(AttributeError):
        infragym.nothing  # noqa: B018


def test_memory_that_is_not_there():
    with pytest.raises(MemoryError, match="num_envs is 16777216: they need"):
        infragym.make_vec("scheduling/large", 2**24)


def test_configurations(tmp_path, monkeypatch):
    env = infragym.make("autoscaling/easy", config={"max_steps": 7})
    assert env.bundle.config["max_steps"] == 7
    env.reset(seed=0, options={"config": {"max_steps": 5}})
    steps = 1
    while not any(env.step(1)[2:4]):
        steps += 1
    assert steps == 5
    env.reset(options={"config": {}})
    assert env.bundle.config["max_steps"] == 7
    with pytest.raises(ValueError, match="max_step is unknown"):
        env.reset(options={"config": {"max_step": 5}})
    assert env.bundle.config["max_steps"] == 7
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompilerNotFound, match="infragym compile --task T"):
        infragym.make("autoscaling/easy", config={"max_steps": 9})
