"""Gymnasium's own checks and meanings."""

from __future__ import annotations

import warnings

import gymnasium as gym
import infragym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics
from infragym.registration import gymnasium_id

#: What Gymnasium says of its own environments too: numbers that nothing bounds, and the task's own
#: bounds of actions (`action_space="normalised"` has others).
NOT_OURS = (
    "A Box observation space maximum value is infinity",
    "A Box observation space minimum value is -infinity",
    "For Box action spaces, we recommend using a symmetric and normalized space",
)
MODES = ["next_step", "same_step", "disabled"]


def test_check_env(task):
    for arguments in ({}, {"infos": True}, {"signed_actions": True}):
        env = gym.make(gymnasium_id(task), **arguments).unwrapped
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_env(env, skip_render_check=True)
        ours = [w for w in caught if not any(known in str(w.message) for known in NOT_OURS)]
        assert ours == []


def test_wrapped_environments_step(task):
    env = gym.make(gymnasium_id(task))
    env.action_space.seed(0)
    observation, info = env.reset(seed=1)
    assert observation in env.observation_space
    for _ in range(30):
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert observation in env.observation_space
        if terminated or truncated:
            assert info["statistics"]["length_steps"] > 0
            env.reset()
    env.close()


@pytest.mark.parametrize("mode", MODES)
def test_batches(task, mode):
    """Rows of a batch are single environments, through every end of an episode."""
    env = infragym.make_vec(task, 3, autoreset_mode=mode)
    assert env.metadata["autoreset_mode"] == AutoresetMode(env.metadata["autoreset_mode"])
    env.action_space.seed(0)
    observations, _ = env.reset(seed=5)
    assert observations in env.observation_space
    for _ in range(40):
        actions = env.action_space.sample()
        observations, rewards, terminated, truncated, infos = env.step(actions)
        assert observations in env.observation_space
        assert rewards.shape == terminated.shape == truncated.shape == (3,)
        ended = terminated | truncated
        if mode == "same_step" and ended.any():
            assert (infos["_final_obs"] == ended).all()
            for i in range(3):
                assert (infos["final_obs"][i] is None) != ended[i]
        if mode == "disabled" and ended.any():
            with pytest.raises(gym.error.ResetNeeded):
                env.step(actions)
            env.reset(options={"reset_mask": ended})


def test_modes_tell_the_same_story():
    """The three modes give the same episodes, each with its own way of going on."""
    stories = {}
    for mode in MODES:
        env = infragym.make_vec("provisioning/easy", 4, autoreset_mode=mode)
        observations, _ = env.reset(seed=9)
        rewards = []
        while len(rewards) < 300:
            _, reward, terminated, truncated, infos = env.step(np.full(4, 18))
            ended = terminated | truncated
            rewards.append(reward)
            if ended.any():
                last = env.statistics()["episode_return"].copy()
                break
        stories[mode] = (np.array(rewards), last)
    for mode in MODES[1:]:
        assert np.array_equal(stories[mode][0], stories[MODES[0]][0])
        assert np.array_equal(stories[mode][1], stories[MODES[0]][1])


def test_gym_make_vec():
    envs = gym.make_vec(
        gymnasium_id("autoscaling/easy"), num_envs=4096, autoreset_mode=AutoresetMode.SAME_STEP
    )
    assert envs.num_envs == 4096
    assert isinstance(envs, infragym.InfraGymVectorEnv)
    observations, _ = envs.reset(seed=0)
    assert observations.shape == (4096, 4)
    envs.close()


def test_equal_to_gymnasiums_own_vectors():
    """`SyncVectorEnv` of single environments gives what a batch gives."""
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
        makers = [lambda: infragym.make("autoscaling/easy")] * 3
        sync = gym.vector.SyncVectorEnv(makers, autoreset_mode=mode)
        batch = infragym.make_vec("autoscaling/easy", 3, autoreset_mode=mode)
        sync.action_space.seed(3)
        assert np.array_equal(sync.reset(seed=0)[0], batch.reset(seed=0)[0])
        for _ in range(400):
            actions = sync.action_space.sample()
            ours, theirs = batch.step(actions), sync.step(actions)
            for mine, other in zip(ours[:4], theirs[:4], strict=True):
                assert np.array_equal(mine, other.astype(mine.dtype))
            assert ("final_obs" in ours[4]) == ("final_obs" in theirs[4])
            if "final_obs" not in ours[4]:
                assert np.array_equal(ours[4]["cost"], theirs[4]["cost"].astype(np.float32))
                continue
            # Costs stand beside their rewards, also where an episode ended.
            theirs_final = theirs[4]["final_info"]["cost"].astype(np.float32)
            assert np.array_equal(ours[4]["final_info"]["cost"], theirs_final)
            for mine, other in zip(ours[4]["final_obs"], theirs[4]["final_obs"], strict=True):
                assert np.array_equal(mine, other)


def test_wrappers_count_what_the_core_counts():
    env = infragym.make_vec("provisioning/medium", 64)
    wrapped = RecordEpisodeStatistics(env)
    wrapped.reset(seed=0)
    seen = 0
    for _ in range(600):
        infos = wrapped.step(np.full(64, 16))[-1]
        if "episode" not in infos:
            continue
        ended = infos["_episode"]
        statistics = env.statistics()
        assert np.array_equal(infos["episode"]["r"][ended], statistics["episode_return"][ended])
        assert np.array_equal(infos["episode"]["l"][ended], statistics["length_steps"][ended])
        seen += int(ended.sum())
    assert seen > 0


def test_infos_become_lists():
    env = DictInfoToList(infragym.make_vec("scheduling/base", 3, infos=True))
    env.reset(seed=0)
    infos = env.step(np.zeros(3, int))[-1]
    assert len(infos) == 3
    assert infos[1]["metrics"]["power_watts"] > 0
    assert infos[2]["action_mask"].shape == (76,)


def test_masks_sample_feasible_actions():
    env = infragym.make("scheduling/base")
    _, info = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(200):
        action = env.action_space.sample(mask=info["action_mask"])
        assert env.action_masks()[action]
        _, _, _, _, info = env.step(action)
    mask = infragym.make_vec("autoscaling/fleet", 2)
    mask.reset(seed=0)
    assert mask.action_masks().all()


def test_views_are_of_the_cores_memory():
    env = infragym.make_vec("autoscaling/easy", 8, copy=False)
    observations, _ = env.reset(seed=0)
    before = observations.copy()
    after, *_ = env.step(np.zeros(8, int))
    assert np.shares_memory(observations, after)
    assert not np.array_equal(before, observations)
    with pytest.raises(ValueError):
        after[0] = 0
    env.close()
    assert after.shape == (8, 4)  # the memory lives as long as anyone looks at it
    copies = infragym.make_vec("autoscaling/easy", 8)
    first, _ = copies.reset(seed=0)
    copies.step(np.zeros(8, int))
    assert np.array_equal(first, before)


def test_actions_may_be_written_in_place():
    env = infragym.make_vec("autoscaling/fleet", 4)
    other = infragym.make_vec("autoscaling/fleet", 4)
    actions = np.array([[0, 1], [1, 2], [2, 0], [0, 0]])
    env.reset(seed=0)
    other.reset(seed=0)
    env.actions[...] = actions
    assert np.array_equal(env.step()[0], other.step(actions)[0])
