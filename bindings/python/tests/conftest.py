"""What the tests share: the figures that Node gave, and the tasks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


class Expected:
    """What `tests/python/expected.ts` wrote."""

    def __init__(self, folder: Path):
        self.folder = folder
        data = json.loads((folder / "expected.json").read_text())
        self.num_envs: int = data["NUM_ENVS"]
        self.steps: int = data["STEPS"]
        self.seed: int = data["SEED"]
        self.evaluated_seeds: list[int] = data["EVALUATED_SEEDS"]
        self.trained: dict[str, dict] = {each["name"]: each for each in data["trained"]}
        self.runs: dict[str, dict] = {run["name"]: run for run in data["runs"]}

    def bytes_of(self, name: str, kind: str) -> bytes:
        return (self.folder / f"{name}.{kind}").read_bytes()

    def bundle(self, name: str):
        import infragym

        return infragym.load(self.folder / f"{name}.bundle")


def _folder() -> Path:
    """Node's figures: made by the test runner, or now."""
    given = os.environ.get("INFRAGYM_EXPECTED")
    if given:
        return Path(given)
    folder = ROOT / ".venv" / "expected"
    npx = shutil.which("npx")
    if npx is None or not (ROOT / "node_modules").is_dir():
        pytest.exit("Node's figures are missing: npm install, then npm run test:python", 1)
    subprocess.run([npx, "tsx", "tests/python/expected.ts", str(folder)], cwd=ROOT, check=True)
    return folder


_EXPECTED: list[Expected] = []


def expected_data() -> Expected:
    if not _EXPECTED:
        _EXPECTED.append(Expected(_folder()))
    return _EXPECTED[0]


@pytest.fixture(scope="session")
def expected() -> Expected:
    return expected_data()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`run` goes over every run of Node's, `task` over every task."""
    import infragym

    if "run" in metafunc.fixturenames:
        metafunc.parametrize("run", list(expected_data().runs))
    if "trained" in metafunc.fixturenames:
        metafunc.parametrize("trained", list(expected_data().trained))
    if "task" in metafunc.fixturenames:
        metafunc.parametrize("task", infragym.task_ids())
