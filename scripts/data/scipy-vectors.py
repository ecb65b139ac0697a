"""Writes tests/data/vectors/regular-grid.json: SciPy's answers for the kernels' interpolation.

    python3 scripts/data/scipy-vectors.py [queries per table] [output file]

Needs numpy and scipy. Nodes, values and queries are rounded to f32 first, as the kernels hold
them; RegularGridInterpolator then works in f64, so what remains is the kernels' rounding. The
synthetic table is computed here from its formula, independently of the TypeScript.
"""

import json
import sys

import numpy as np
import scipy
from scipy.interpolate import RegularGridInterpolator

METRICS = ["ttft_p50", "ttft_p99", "tpot", "tps", "gpu_mem_gb", "cost_per_1k"]
AXES = ["quant_tier", "spec_length", "batch_size", "kv_budget", "prompt_len"]
SHIPPED = ["llama3-8b-a100-40gb", "llama3-8b-a100-80gb", "llama3-8b-h100-80gb"]


def synthetic():
    axes = [
        [0],
        [0, 1, 2, 4, 8],
        [1, 4, 8, 16, 32, 64, 128, 256, 512],
        [0.1, 0.25, 0.5, 0.75, 1],
        [64 << i for i in range(8)],
    ]
    _, s, b, kv, p = np.meshgrid(*axes, indexing="ij")
    fit = np.minimum(1, kv / (b * (p + 128) / 65536)) ** 0.35
    sat = b / (b + 42) / (1 + (b / 400) ** 2)
    spec = np.maximum(0.6, 1 + 0.05 * s * (1 - b / 64) / (1 + 0.15 * s))
    tps = 13775 * sat * (1 - 0.12 * kv**2) * fit * spec / (1 + p / 840)
    ttft = 30 + 2 * b + 0.54 * p
    memory = np.minimum(80, 16 + 0.02 * b + 0.001 * kv * b * p)
    metrics = [ttft, 1.75 * ttft, 1000 * b / tps, tps, memory, 40 / tps]
    return axes, np.stack(metrics, axis=-1)


def shipped(name):
    with open(f"data/tables/{name}.json") as file:
        table = json.load(file)
    axes = [table[axis] for axis in AXES]
    shape = [len(axis) for axis in axes]
    return axes, np.stack([np.reshape(table[m], shape) for m in METRICS], axis=-1)


def f32(x):
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def query_points(rng, axes, count):
    """Between nodes, on nodes and outside the grid; plain numbers of few digits."""
    points = np.empty((count, 3))
    for i, axis in enumerate(axes[2:]):
        low, high = np.log(axis[0] * 0.8), np.log(axis[-1] * 1.2)
        points[:, i] = np.exp(rng.uniform(low, high, count))
        on_node = rng.random(count) < 0.1
        points[on_node, i] = rng.choice(axis, on_node.sum())
    points = np.array([[float(f"{x:.5g}") for x in row] for row in points])
    return rng.choice(axes[0], count), rng.choice(axes[1], count), points


def table_vectors(rng, name, axes, values, count):
    tiers, specs, points = query_points(rng, axes, count)
    grid = [f32(axis) for axis in axes[2:]]
    rows = []
    for tier, spec, point in zip(tiers, specs, points):
        plane = f32(values[axes[0].index(tier), axes[1].index(spec)])
        clamped = [np.clip(f32(x), axis[0], axis[-1]) for x, axis in zip(point, grid)]
        answer = RegularGridInterpolator(grid, plane, method="linear")(clamped)[0]
        rows.append([int(tier), int(spec), *point.tolist(), *answer.tolist()])
    return {"table": name, "rows": rows}


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 75
    path = sys.argv[2] if len(sys.argv) > 2 else "tests/data/vectors/regular-grid.json"
    rng = np.random.default_rng(20240607)
    tables = [("synthetic-a", *synthetic())] + [(name, *shipped(name)) for name in SHIPPED]
    document = {
        "comment": "SciPy's RegularGridInterpolator; written by scripts/data/scipy-vectors.py",
        "scipy": scipy.__version__,
        "columns": AXES + METRICS,
        "vectors": [table_vectors(rng, name, a, v, count) for name, a, v in tables],
    }
    text = json.dumps(document).replace("[[", "[\n[").replace("], [", "],\n[")
    with open(path, "w") as file:
        file.write(text + "\n")


main()
