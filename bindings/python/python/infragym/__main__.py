"""The command `infragym` of the Python package: `infragym sweep` and `infragym tasks`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .bundle import task_ids

_RANGE_MAX = 1_000_000


def parse_seeds(text: str) -> list[int]:
    """Seeds as the npm package's command reads them: `0..14`, `3,5,8`, `7`, or these mixed."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dots, last = part.strip().partition("..")
        if not first.isdecimal() or (dots and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"{part!r}: seeds are written 0..14, 3,5,8 or 7")
        count = int(last or first) - int(first) + 1
        if not 0 < count <= _RANGE_MAX:
            raise argparse.ArgumentTypeError(f"{part!r}: 1 to {_RANGE_MAX} rising seeds are needed")
        seeds.extend(range(int(first), int(first) + count))
    return seeds


def parse_names(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_configs(text: str) -> list[dict[str, Any]]:
    """A configuration, or a list of them, as JSON or as a file of it."""
    source = text if text.lstrip().startswith(("{", "[")) else Path(text).read_text()
    parsed = json.loads(source)
    configs = parsed if isinstance(parsed, list) else [parsed]
    if not configs or not all(isinstance(config, dict) for config in configs):
        raise argparse.ArgumentTypeError("a JSON object, or an array of them, is needed")
    return configs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("infragym", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tasks", help="list the tasks")
    sweep = commands.add_parser(
        "sweep", help="play policies x tasks x configurations x seeds into one parquet file"
    )
    add = sweep.add_argument
    add("--tasks", type=parse_names, required=True, help="ids, aliases or bundles' files")
    add("--policies", type=parse_names, required=True, help="names, constants, files")
    add("--seeds", type=parse_seeds, required=True, help="0..999")
    add("--configs", type=parse_configs, default=[{}], help="JSON or a file: one or a list")
    add("--out", type=Path, required=True, help="the file; an interrupted sweep goes on")
    add("--ray", nargs="?", const="local", help="play on Ray: its address, or a local cluster")
    add("--workers", type=int, help="pieces at a time; default: the cluster's CPUs")
    add("--seeds-per-piece", type=int, default=256, help="of one Ray task")
    return parser


class _Progress:
    """A line on a terminal, a message now and then elsewhere."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.told = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        is_terminal = sys.stderr.isatty()
        if now - self.told < (0.2 if is_terminal else 10) and done < total:
            return
        self.told = now
        text = f"{done} of {total} pieces, {now - self.started:.0f} s"
        print(f"\r{text}" if is_terminal else text, end="", file=sys.stderr, flush=True)
        if not is_terminal or done == total:
            print(file=sys.stderr)


def _sweep(arguments: argparse.Namespace) -> int:
    from . import sweep

    pieces = sweep.plan(
        arguments.tasks,
        arguments.policies,
        arguments.seeds,
        arguments.configs,
        arguments.seeds_per_piece,
    )
    run: sweep.Executor = sweep.serial
    if arguments.ray is not None or arguments.workers is not None:
        import ray

        from .ray import executor

        is_local = arguments.ray in (None, "local")
        address = "local" if is_local else arguments.ray
        ray.init(address, num_cpus=arguments.workers if is_local else None, log_to_driver=False)
        run = executor(arguments.workers)
    digest = sweep.sweep(pieces, arguments.out, run, _Progress())
    episodes = sum(len(piece.seeds) for piece in pieces)
    print(f"{arguments.out}: {episodes} episodes, digest {digest}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; 0 where it was done, 2 for wrong input, 130 for Ctrl-C."""
    try:
        parsed = _parser().parse_args(arguments)
        if parsed.command == "tasks":
            print("\n".join(task_ids()))
            return 0
        return _sweep(parsed)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
