"""Copies, pickles, threads, forked and spawned processes, and memory."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import infragym
import numpy as np
import pytest

TASK = "autoscaling/trace"


def played(env, steps: int = 30) -> str:
    for _ in range(steps):
        env.step(np.ones(env.num_envs, int))
    return env.digest()


@pytest.mark.parametrize(
    "clone",
    [
        copy.deepcopy,
        lambda e: pickle.loads(pickle.dumps(e)),
        lambda e: cloudpickle.loads(cloudpickle.dumps(e)),
    ],
)
def test_copies_go_on_alike(clone, task):
    env = infragym.make_vec(task, 3, infos=True, autoreset_mode="same_step")
    env.reset(seed=1)
    env.action_space.seed(4)
    env.rollout("random", 20)
    other = clone(env)
    assert other.digest() == env.digest()
    actions = env.action_space.sample()
    assert np.array_equal(other.action_space.sample(), actions)
    assert np.array_equal(env.step(actions)[0], other.step(actions)[0])
    assert other.digest() == env.digest()
    single = infragym.make(task)
    unbegun = clone(single)
    single.reset(seed=1)
    twin = clone(single)
    action = single.action_space.sample()
    assert np.array_equal(single.step(action)[0], twin.step(action)[0])
    unbegun.reset(seed=1)
    single.close()
    assert clone(single)._batch.is_closed


def _child(env, steps, queue):
    queue.put(played(env, steps))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("threads", [1, 2])
def test_processes(method, threads):
    env = infragym.make_vec(TASK, 300, threads=threads)
    env.reset(seed=0)
    played(env, 3)
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    children = [context.Process(target=_child, args=(env, 20, queue)) for _ in range(2)]
    for child in children:
        child.start()
    digests = {queue.get(timeout=60) for _ in children}
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    assert digests == {played(env, 20)}


def test_threads_have_batches_of_their_own():
    def work(seed: int) -> str:
        env = infragym.make_vec(TASK, 256)
        env.reset(seed=seed)
        return played(env, 100)

    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(work, [0, 1, 2, 3] * 4))
    assert digests[:4] * 4 == digests
    assert len(set(digests)) == 4


def test_a_batch_is_one_threads_at_a_time():
    """A second call on a batch that steps is refused, and does no harm."""
    env = infragym.make_vec("scheduling/large", 256)
    env.reset(seed=0)
    errors = []

    def disturb() -> None:
        for _ in range(200):
            try:
                env.rollout("random", 1)
            except RuntimeError as error:
                errors.append(str(error))

    threads = [threading.Thread(target=disturb) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("another thread" in error for error in errors)
    env.rollout("random", 1)


def test_other_threads_run_while_a_batch_steps():
    env = infragym.make_vec("scheduling/large", 2048)
    env.reset(seed=0)
    counted = 0
    stepping = threading.Thread(target=lambda: env.rollout("random", 300))
    stepping.start()
    while stepping.is_alive():
        counted += 1
    assert counted > 1000


def _resident_kb() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc here")
def test_ten_thousand_environments_leave_nothing():
    def cycle(times: int) -> None:
        for k in range(times):
            env = infragym.make_vec("autoscaling/easy", 64)
            env.reset(seed=k)
            env.step(np.zeros(64, int))
            if k % 2:
                env.close()

    cycle(1000)
    gc.collect()
    before = _resident_kb()
    cycle(10_000)
    gc.collect()
    assert _resident_kb() - before < 8_000
