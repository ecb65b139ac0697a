"""What `info` says of a step, from the report that a bundle holds (src/envs/report.ts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Rows = Mapping[str, np.ndarray]


def describe_step(report: Sequence[Mapping[str, Any]], rows: Rows) -> dict[str, Any]:
    """A step's report.

    Args:
        report: entries, each with a name and where its value comes from.
        rows: one environment's `metrics`, `observation` and `action`.
    """
    return {entry["name"]: _value(entry, rows) for entry in report}


def _value(entry: Mapping[str, Any], rows: Rows) -> Any:
    kind = entry["kind"]
    if kind == "number":
        return float(rows[entry["row"]][entry["index"]]) / entry["scale"]
    if kind == "flag":
        return bool(rows["metrics"][entry["index"]] == entry["value"])
    if kind == "label":
        return entry["labels"][int(rows["metrics"][entry["index"]])]
    if kind == "overwritten":
        action, metrics = rows["action"], rows["metrics"]
        fields = entry["fields"]
        return [f["name"] for f in fields if action[f["asked"]] != metrics[f["applied"]]]
    if kind == "list":
        return list(entry["items"])
    return describe_step(entry["report"], rows)
