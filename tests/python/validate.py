"""`openenv validate --url` at the root and at every mount of a server: `validate.py BASE_URL`.

The command itself, called within one process: importing it takes longer than what it does.
"""

import json
import sys
import urllib.request

from openenv.cli.__main__ import app
from typer.testing import CliRunner

BASE = sys.argv[1]

with urllib.request.urlopen(f"{BASE}/tasks") as reply:
    ids = [task["env_id"] for task in json.load(reply)["tasks"]]
failed = 0
for path in ["", *(f"/openenv/{task}" for task in ids)]:
    result = CliRunner().invoke(app, ["validate", "--url", BASE + path])
    failed += result.exit_code != 0
    print(f"ok {path or '/'}" if result.exit_code == 0 else f"FAILED {path}\n{result.output}")
print(f"{len(ids) + 1 - failed} passed, {failed} failed")
