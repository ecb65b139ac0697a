"""What needs torch or RLlib: the examples learn, SB3's checker is content, RLlib survives a kill.

`npm run test:python-full`; the output of the last run is output.txt beside this file.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from pathlib import Path

import infragym
import numpy as np
import pytest
from infragym.sb3 import InfraGymSB3VecEnv
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env

EXAMPLES = Path(__file__).resolve().parents[3] / "examples/python"
sys.path.insert(0, str(EXAMPLES))

#: Recommendations on the tasks' own bounds, see the quick tests; `normalised` has others.
NOT_OURS = ("We recommend you to use a symmetric and normalized Box action space",)


@pytest.fixture(autouse=True)
def told(capsys):
    """Prints what a test measured, so that the committed output has it."""
    lines: list[str] = []
    yield lines.append
    with capsys.disabled():
        for line in lines:
            print(f"  {line}")


@pytest.mark.parametrize("task", infragym.task_ids())
def test_check_env(task):
    spaces = [None, "normalised", "discrete"] if task.startswith("serving/") else [None]
    for action_space in spaces:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_env(infragym.make(task, action_space=action_space))
        known = NOT_OURS if action_space is None else ()
        ours = [w for w in caught if not any(words in str(w.message) for words in known)]
        assert ours == []


def test_discrete_actions_begin_at_zero():
    """SB3's PPO learns on a task whose own actions are -16 .. 16."""
    env = infragym.make("provisioning/easy")
    PPO("MlpPolicy", env, n_steps=64, batch_size=64, device="cpu", seed=0).learn(128)


@pytest.mark.parametrize("mode", ["next_step", "same_step", "disabled"])
def test_episodes_of_different_lengths(mode):
    tasks = ["autoscaling/easy", "provisioning/easy", "scheduling/base", "static-uniform"]
    for task in tasks:
        env = InfraGymSB3VecEnv(infragym.make_vec(task, 8, autoreset_mode=mode))
        env.action_space.seed(0)
        env.seed(0)
        env.reset()
        ends = 0
        for _ in range(400):
            _, _, dones, infos = env.step(np.array([env.action_space.sample() for _ in range(8)]))
            for done, info in zip(dones, infos, strict=True):
                assert done == ("terminal_observation" in info)
            ends += dones.sum()
        assert ends > 0 or task == "scheduling/base"


def test_modes_train_alike():
    """SB3's wrapper gives the same rollouts whatever the batch's mode."""
    rows = []
    for mode in ("next_step", "same_step", "disabled"):
        env = InfraGymSB3VecEnv(infragym.make_vec("autoscaling/easy", 8, autoreset_mode=mode))
        env.seed(0)
        seen = [env.reset()]
        for t in range(300):
            observations, rewards, *_ = env.step(np.full(8, t % 3))
            seen += [observations, rewards]
        rows.append(np.concatenate([x.ravel() for x in seen]))
    assert np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[0], rows[2])


@pytest.mark.parametrize("task", ["provisioning/easy", "autoscaling/medium"])
def test_sb3_ppo(task, told):
    from sb3_ppo import compare

    scores = compare(task, 60_000)
    told(f"{task}: " + ", ".join(f"{name} {score:.3f}" for name, score in scores.items()))
    assert scores["ppo"] > max(scores["random"], scores["baseline"]) + 0.05


def test_maskable_ppo(told):
    from maskable_ppo import compare

    returns = compare(20_480)
    told("scheduling/base: " + ", ".join(f"{name} {x:.0f}" for name, x in returns.items()))
    assert returns["invalid actions"] == 0
    assert returns["maskable ppo"] > returns["random"]


def test_cleanrl_ppo(told):
    from cleanrl_ppo import Config, score_of, train

    config = Config(steps=150_000)
    agent, returns = train(config)
    score = score_of(config, agent)
    told(f"{config.task}: returns {returns[0]:.0f} -> {returns[-1]:.0f}, score {score:.3f}")
    assert returns[-1] > returns[0] + 1000
    assert score > 0.5


def test_torchrl_ppo(told):
    from torchrl_ppo import train

    returns = train(12_000)
    told(f"autoscaling/easy: returns {returns[0]:.1f} -> {returns[-1]:.1f}")
    assert np.isfinite(returns).all()
    assert np.mean(returns[-3:]) > 1.1 * np.mean(returns[:3])


def test_pufferlib(told):
    """PufferLib's vector of single environments shows what a batch shows."""
    from pufferlib_vec import NUM_ENVS, TASK, compare, make_vec

    emulated, batch = make_vec(), infragym.make_vec(TASK, NUM_ENVS)
    assert np.array_equal(emulated.reset(seed=3)[0], batch.reset(seed=3)[0])
    actions = np.random.default_rng(0).integers(0, 3, NUM_ENVS)
    theirs, rewards, *_ = emulated.step(actions)
    ours, mine, *_ = batch.step(actions)
    assert np.array_equal(theirs, ours)
    assert np.array_equal(rewards, mine)
    told(", ".join(f"{name} {rate / 1e6:.2f} M steps/s" for name, rate in compare().items()))


@pytest.fixture(scope="module")
def cluster():
    """Two raylets on this machine."""
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    made.add_node(num_cpus=2)
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.mark.parametrize("task", ["autoscaling/easy", "provisioning/easy"])
def test_rllib_trains_through_a_kill(cluster, task, told):
    """A runner is killed in the middle; training goes on with another one."""
    from rllib_ppo import build, mean_return

    algorithm = build(task, runners=2)
    returns = [mean_return(algorithm.train()) for _ in range(2)]
    pids = algorithm.env_runner_group.foreach_env_runner(
        lambda _: os.getpid(), local_env_runner=False
    )
    os.kill(pids[0], signal.SIGKILL)
    returns += [mean_return(algorithm.train()) for _ in range(6)]
    alive = algorithm.env_runner_group.foreach_env_runner(
        lambda _: os.getpid(), local_env_runner=False
    )
    algorithm.stop()
    told(f"{task}: returns {', '.join(f'{x:.0f}' for x in returns)}")
    assert len(alive) == 2
    assert pids[0] not in alive
    assert np.mean(returns[-2:]) > returns[0]


def test_rllib_steps_batches_of_the_core(cluster, told):
    from rllib_ppo import build, mean_return

    algorithm = build("autoscaling/easy", runners=1, batched=True)
    returns = [mean_return(algorithm.train()) for _ in range(3)]
    algorithm.stop()
    told(f"autoscaling/easy, batches: returns {', '.join(f'{x:.0f}' for x in returns)}")
    assert np.isfinite(returns).all()


def test_actors_give_the_same_results_wherever_they_run(cluster):
    import ray

    @ray.remote(num_cpus=1, scheduling_strategy="SPREAD")
    def play(seed: int) -> tuple[str, str]:
        env = infragym.make_vec("autoscaling/trace", 16)
        env.reset(seed=seed)
        env.rollout("random", 200)
        return env.digest(), ray.get_runtime_context().get_node_id()

    results = ray.get([play.remote(seed) for seed in [0, 1, 2] * 4])
    digests = [digest for digest, _ in results]
    assert digests == digests[:3] * 4
    assert len({node for _, node in results}) == 2
