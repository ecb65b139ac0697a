"""The same bits as Node: steps, digests, snapshots, rollouts, records and grades."""

from __future__ import annotations

import hashlib

import infragym
import numpy as np
import pytest
from infragym import learned, policies


def rows_of(expected, run: str, bundle) -> np.ndarray:
    """Node's actions, [step, env, number], in the program's own numbers."""
    dtype = np.int32 if bundle.description["action_dtype"] == "index" else np.float32
    shape = (expected.steps, expected.num_envs, bundle.description["action_dim"])
    return np.frombuffer(expected.bytes_of(run, "actions"), dtype).reshape(shape)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("signed", [False, True])
def test_steps(expected, run, signed, threads):
    bundle = expected.bundle(run)
    env = infragym.make_vec(
        bundle, expected.num_envs, signed_actions=signed, infos=True, threads=threads, copy=signed
    )
    rows = rows_of(expected, run, bundle)
    if bundle.description["action_dtype"] == "index" and not signed:
        rows = rows - np.array([int(a["low"]) for a in bundle.description["actions"]], np.int32)
    env.reset(seed=expected.seed)
    outputs = hashlib.sha256()
    for step, actions in enumerate(rows):
        observations, rewards, terminated, truncated, infos = env.step(actions)
        for array in (observations, rewards, infos["cost"], terminated, truncated):
            outputs.update(array.tobytes())
        outputs.update(infos.get("action_mask", np.empty(0)).tobytes())
        if step == expected.steps // 2:
            assert env.snapshot() == expected.bytes_of(run, "snapshot")
    wanted = expected.runs[run]
    assert outputs.hexdigest() == wanted["outputs"]
    assert env.digest() == wanted["digest"]


def test_singles_are_the_rows_of_a_batch(expected, run):
    bundle = expected.bundle(run)
    rows = rows_of(expected, run, bundle)[:60, :3]
    env = infragym.make_vec(bundle, 3, signed_actions=True)
    singles = [infragym.make(bundle, signed_actions=True) for _ in range(3)]
    first, _ = env.reset(seed=2**64 - 2)  # the third seed wraps
    seeds = [2**64 - 2, 2**64 - 1, 0]
    for i, (single, seed) in enumerate(zip(singles, seeds, strict=True)):
        assert single.reset(seed=seed)[0].tobytes() == first[i].tobytes()
    has_ended = [False] * 3
    for actions in rows:
        observations, rewards, terminated, truncated, _ = env.step(actions)
        for i, single in enumerate(singles):
            if has_ended[i]:
                single.reset()
                has_ended[i] = False
                continue
            action = actions[i] if actions.shape[1] > 1 else actions[i, 0]
            observation, reward, *ended, _ = single.step(action)
            assert observation.tobytes() == observations[i].tobytes()
            assert np.float32(reward) == rewards[i]
            assert ended == [terminated[i], truncated[i]]
            has_ended[i] = any(ended)


def test_snapshots_of_node_go_on(expected, run):
    bundle = expected.bundle(run)
    env = infragym.make_vec(bundle, expected.num_envs, signed_actions=True, infos=True)
    env.restore(expected.bytes_of(run, "snapshot"))
    for actions in rows_of(expected, run, bundle)[expected.steps // 2 + 1 :]:
        env.step(actions)
    assert env.digest() == expected.runs[run]["digest"]


def test_rollouts(expected, run):
    bundle = expected.bundle(run)
    wanted = expected.runs[run]
    for name, digest in wanted["digests"].items():
        policy = wanted["policies"].get(name)
        env = infragym.make_vec(bundle, 5, autoreset_mode="same_step")
        env.reset(seed=3)
        env.rollout(policies.from_json(policy) if policy else name, 120)
        assert env.digest() == digest, name


def test_records(expected, run):
    env = infragym.make_vec(expected.bundle(run), 5)
    env.reset(seed=4)
    recorded = env.record("random", 40)
    content = b"".join(recorded[name].tobytes() for name in recorded)
    assert hashlib.sha256(content).hexdigest() == expected.runs[run]["recorded"]


def test_reports(expected, run):
    """`info` of the last environment, as Node reports it."""
    bundle = expected.bundle(run)
    env = infragym.make_vec(bundle, expected.num_envs, signed_actions=True, infos=True)
    env.restore(expected.bytes_of(run, "snapshot"))
    for actions in rows_of(expected, run, bundle)[expected.steps // 2 + 1 :]:
        env.step(actions)
    report = env.report(expected.num_envs - 1)
    assert report == expected.runs[run]["info"]


def test_grades(expected, run):
    bundle = expected.bundle(run)
    for name, wanted in expected.runs[run]["grades"].items():
        results = infragym.evaluate(bundle, name, expected.evaluated_seeds)
        for result, node in zip(results, wanted, strict=True):
            assert result.score == node["score"]
            assert dict(result.breakdown) == node["breakdown"]
            assert result.feedback == node["feedback"]
            assert result.episode_return == node["return"]
            assert result.length == node["length"]
            assert dict(result.statistics) == node["statistics"]


def test_policies_trained_in_node_play_alike(expected, trained):
    wanted = expected.trained[trained]
    policy = learned.load(expected.folder / trained)
    results = infragym.evaluate(wanted["id"], policy, expected.evaluated_seeds)
    for result, node in zip(results, wanted["results"], strict=True):
        assert dict(result.statistics) == node["statistics"]
        assert result.score == node["score"]


def test_learned_policies_that_do_not_fit(expected, tmp_path):
    name = next(iter(expected.trained))
    policy = learned.load(expected.folder / name)
    with pytest.raises(ValueError, match="was trained on"):
        infragym.evaluate("autoscaling/easy", policy, [0])
    data = (expected.folder / name / learned.FILE).read_bytes()
    bad = tmp_path / learned.FILE
    for content in (data[:-20], data[:50], b"", data[:3000] + b"x" + data[3001:]):
        bad.write_bytes(content)
        with pytest.raises(ValueError):
            learned.load(bad)


def test_shipped_bundles_are_the_tasks(task, expected):
    shipped = infragym.make(task).bundle
    assert shipped == expected.bundle(task.replace("/", "-", 1))
