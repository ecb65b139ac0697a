"""The serving task as the repository compiles it (``model.ts``), for the peers to compute."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

SPEC_LENGTHS = (0, 1, 2, 4, 8)
METRICS = ("ttft_p50", "ttft_p99", "tpot", "tps", "gpu_mem", "cost_per_1k")
OBSERVATIONS = (
    "queue_depth",
    "mean_prompt_len",
    "arrival_rate",
    "kv_cache_occupancy",
    "ttft_p50",
    "tpot_p50",
    "slo_violation_rate",
    "gpu_memory_used_gb",
    "spec_accept_rate",
    "priority_interactive",
    "priority_batch",
    "priority_best_effort",
    "timestep",
    "cost_so_far",
)


@dataclass(frozen=True)
class ServingModel:
    """A task's configuration, and its program's scalars and tables by their names there."""

    config: dict[str, Any]
    scalars: dict[str, float]
    tables: dict[str, np.ndarray]

    @property
    def batch_nodes(self) -> np.ndarray:
        return self.tables["batchNodes"][: int(self.scalars["numBatch"])]

    @property
    def kv_nodes(self) -> np.ndarray:
        return self.tables["kvNodes"][: int(self.scalars["numKv"])]

    @property
    def prompt_nodes(self) -> np.ndarray:
        return self.tables["promptNodes"][: int(self.scalars["numPrompt"])]

    @property
    def grid(self) -> np.ndarray:
        """f32 [spec][batch][kv][prompt][8], the six METRICS and two columns of zeros."""
        axes = ("numSpec", "numBatch", "numKv", "numPrompt")
        return self.tables["grid"].reshape(*(int(self.scalars[name]) for name in axes), 8)

    @property
    def arrival_rate(self) -> float:
        """Mean of the Poisson arrivals, requests a step."""
        return float(self.tables["levelRate"][0])


def load_model(path: str) -> ServingModel:
    """Reads what ``model.ts`` printed."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    tables = {name: np.array(values, np.float32) for name, values in document["tables"].items()}
    return ServingModel(document["config"], document["scalars"], tables)
