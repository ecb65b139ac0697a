"""Sweeps: the same file whoever plays it, interrupted or not, with workers that die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import infragym
import pyarrow.parquet as pq
import pytest
from infragym import sweep
from infragym.__main__ import main, parse_seeds

TASKS = ["autoscaling/easy", "provisioning/medium"]


def pieces(seeds_per_piece: int = 16, seeds: int = 64):
    return sweep.plan(TASKS, ["baseline", "random"], range(seeds), seeds_per_piece=seeds_per_piece)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """What one process gives."""
    out = tmp_path_factory.mktemp("serial") / "serial.parquet"
    digest = sweep.sweep(pieces(), out)
    return digest, out.read_bytes()


def test_rows_are_what_evaluate_gives(tmp_path, wanted):
    out = tmp_path / "a.parquet"
    assert sweep.sweep(pieces(seeds_per_piece=50), out) == wanted[0]
    table = pq.read_table(out).to_pylist()
    results = infragym.evaluate("provisioning/medium", "random", range(64))
    rows = [
        r for r in table if r["task"].startswith("provisioning/medium") and r["policy"] == "random"
    ]
    assert [row["seed"] for row in rows] == list(range(64))
    assert [row["score"] for row in rows] == [result.score for result in results]
    assert dict(rows[5]["statistics"]) == dict(results[5].statistics)
    assert not (tmp_path / "a.parquet.parts").exists()


def test_an_interrupted_sweep_goes_on(tmp_path, wanted):
    out = tmp_path / "b.parquet"
    played = []

    def breaking(missing):
        for k, (piece, table) in enumerate(sweep.serial(missing)):
            if k == 5 and not played:
                played.append(k)
                raise KeyboardInterrupt
            yield piece, table

    with pytest.raises(KeyboardInterrupt):
        sweep.sweep(pieces(), out, breaking)
    assert not out.exists()
    done = list((tmp_path / "b.parquet.parts").iterdir())
    assert len(done) == 5
    done[0].write_bytes(done[0].read_bytes()[:100])  # a piece that was cut is played again
    again = []
    digest = sweep.sweep(pieces(), out, sweep.serial, lambda now, _: again.append(now))
    assert digest == wanted[0]
    assert len(again) == len(pieces()) - 4
    assert out.read_bytes() == wanted[1]


def test_policies(tmp_path):
    bundle = infragym.make("autoscaling/easy").bundle
    rows = infragym.policies.policy_rows(bundle)
    width = bundle.description["observation_dim"]
    policy = {"kind": "linear", "weights": [0.1] * (rows * width)}
    file = tmp_path / "linear.json"
    file.write_text(json.dumps(policy))
    names = ["constants", str(file), "hpa", "constant:1"]
    planned = sweep.plan(["autoscaling/easy"], names, range(4))
    assert len(planned) == 3 + 3
    sweep.sweep(planned, tmp_path / "c.parquet")
    table = pq.read_table(tmp_path / "c.parquet").to_pylist()
    by_policy = {}
    for row in table:
        by_policy.setdefault(row["policy"], []).append(row["score"])
    baseline = infragym.evaluate("autoscaling/easy", "baseline", range(4))
    assert by_policy["constant:1"][:4] == [result.score for result in baseline]
    file.write_text(json.dumps({**policy, "weights": [0.2] * (rows * width)}))
    changed = sweep.plan(["autoscaling/easy"], [str(file)], range(4))
    assert changed[0].key not in {piece.key for piece in planned}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tasks", "nope", "--policies", "random", "--seeds", "0..3"], "no task is called"),
        (["--tasks", "autoscaling/easy", "--policies", "x", "--seeds", "0"], "policy is 'x'"),
        (["--tasks", "static-uniform", "--policies", "constants", "--seeds", "0"], "one discrete"),
        (["--tasks", "autoscaling/easy", "--policies", "constant:9", "--seeds", "0"], "is 9"),
    ],
)
def test_refusals(arguments, words, tmp_path, capsys):
    assert main(["sweep", *arguments, "--out", str(tmp_path / "d.parquet")]) == 2
    assert words in capsys.readouterr().err


def test_seeds_are_read_as_the_npm_package_reads_them():
    assert parse_seeds("0..3,7,9..9") == [0, 1, 2, 3, 7, 9]
    for bad in ("", "3..1", "a", "-1", "1.5"):
        with pytest.raises(Exception, match="seeds"):
            parse_seeds(bad)


def test_configurations(tmp_path):
    configs = [{}, {"max_steps": 20}]
    planned = sweep.plan(["autoscaling/easy"], ["baseline"], range(8), configs)
    sweep.sweep(planned, tmp_path / "e.parquet")
    rows = pq.read_table(tmp_path / "e.parquet").to_pylist()
    lengths = {row["config"]: [] for row in rows}
    for row in rows:
        lengths[row["config"]].append(row["length_steps"])
    assert max(lengths['{"max_steps": 20}']) <= 20 < max(lengths["{}"])


@pytest.fixture(scope="module")
def cluster():
    """Two raylets on this machine."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed")
    import ray

    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def test_ray_gives_the_same_file(cluster, tmp_path, wanted):
    from infragym.ray import executor

    for workers in (None, 1):
        out = tmp_path / f"{workers}.parquet"
        assert sweep.sweep(pieces(), out, executor(workers)) == wanted[0]
        assert out.read_bytes() == wanted[1]


def test_pieces_run_on_both_nodes(cluster):
    import ray
    from infragym.ray.executor import _play

    @ray.remote(num_cpus=1, scheduling_strategy="SPREAD")
    def node() -> str:
        time.sleep(0.3)
        return ray.get_runtime_context().get_node_id()

    assert len(set(ray.get([node.remote() for _ in range(6)]))) == 2
    assert _play is not None


def test_a_killed_workers_pieces_are_played_again(cluster, tmp_path, wanted):
    """Workers are killed while they play; the file is the same all the same."""
    from infragym.ray import executor

    killed = []
    stop = threading.Event()

    def kill_some() -> None:
        while not stop.is_set() and len(killed) < 3:
            for pid in _playing():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                time.sleep(0.5)
                break
            time.sleep(0.005)

    killer = threading.Thread(target=kill_some)
    killer.start()
    long = sweep.plan(["scheduling/base"], ["rr", "sjf"], range(48), seeds_per_piece=8)
    digest = sweep.sweep(long, tmp_path / "k.parquet", executor())
    stop.set()
    killer.join()
    assert killed
    assert digest == sweep.sweep(long, tmp_path / "s.parquet")


def test_a_lost_nodes_pieces_are_played_again(cluster, tmp_path):
    from infragym.ray import executor

    extra = cluster.add_node(num_cpus=1)
    long = sweep.plan(["scheduling/base"], ["ffd"], range(64), seeds_per_piece=8)
    removed = []

    def remove(done: int, total: int) -> None:
        if done == 2 and not removed:
            removed.append(done)
            cluster.remove_node(extra, allow_graceful=False)

    digest = sweep.sweep(long, tmp_path / "n.parquet", executor(), remove)
    assert removed
    assert digest == sweep.sweep(long, tmp_path / "s.parquet")


def _playing() -> list[int]:
    """Processes of Ray that play a piece now, children of this test's raylets only."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/cmdline") as file:
                command = file.read()
        except OSError:
            continue
        if command.startswith("ray::_play") and os.getpid() in _ancestors(int(name)):
            found.append(int(name))
    return found


def _ancestors(pid: int) -> set[int]:
    found = set()
    while pid > 1:
        try:
            with open(f"/proc/{pid}/stat") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            break
        found.add(pid)
    return found


def test_the_command_plays_on_ray(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed")
    arguments = ["--tasks", ",".join(TASKS), "--policies", "baseline,random", "--seeds", "0..63"]
    out = tmp_path / "cli.parquet"
    command = [sys.executable, "-m", "infragym", "sweep", *arguments, "--out", str(out)]
    done = subprocess.run([*command, "--workers", "2"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    serial = subprocess.run(
        [*command[:-1], str(tmp_path / "one.parquet")], capture_output=True, text=True, timeout=300
    )
    assert done.stdout.split()[-1] == serial.stdout.split()[-1]
    assert out.read_bytes() == (tmp_path / "one.parquet").read_bytes()
