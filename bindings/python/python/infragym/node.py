"""Configurations of one's own, compiled by the npm package where it is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .bundle import Bundle, load

#: Names the command line of the npm package, where it is in no usual place.
VARIABLE = "INFRAGYM_CLI"
_SECONDS = 120


class CompilerNotFound(RuntimeError):
    """No npm package was found that could compile a configuration."""


def find_cli() -> list[str]:
    """The command that runs `infragym` of the npm package.

    Looked for in `INFRAGYM_CLI`, then `node_modules` here and in the folders above, then, where
    this package lies in a checkout, the checkout itself.

    Raises:
        CompilerNotFound: saying what would help.
    """
    node = shutil.which("node")
    named = os.environ.get(VARIABLE)
    here = Path.cwd()
    folders = [here, *here.parents]
    scripts = (
        [Path(named)] if named else [f / "node_modules/infragym/bin/infragym.mjs" for f in folders]
    )
    scripts += [f / "bin/infragym.mjs" for f in Path(__file__).resolve().parents]
    script = next((path for path in scripts if path.is_file()), None)
    if node is not None and script is not None:
        return [node, str(script)]
    missing = "Node is not installed" if node is None else "the npm package is not found"
    raise CompilerNotFound(
        f"config needs the npm package to compile it, and {missing}: install Node, run "
        f"`npm install infragym` here or set {VARIABLE} to its bin/infragym.mjs; or compile it "
        "elsewhere with `infragym compile --task T --config C --out F` and pass the file"
    )


def compile_task(task: str, config: Mapping[str, Any]) -> Bundle:
    """Compiles a task with some entries of its configuration replaced.

    Raises:
        ValueError: in the compiler's words, naming the entry that is refused.
        CompilerNotFound: where there is none.
    """
    try:
        text = json.dumps(config, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"config is no JSON: {error}") from error
    return _compile(task, text)


@lru_cache(maxsize=64)
def _compile(task: str, config: str) -> Bundle:
    command = find_cli()
    with tempfile.TemporaryDirectory(prefix="infragym-") as folder:
        out, entries = Path(folder) / "task.bundle", Path(folder) / "config.json"
        entries.write_text(config)
        arguments = ["compile", "--task", task, "--config", str(entries), "--out", str(out)]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode != 0:
            message = done.stderr.strip().removeprefix("error: ")
            raise ValueError(message or f"infragym compile ended with {done.returncode}")
        return load(out)
