"""Prints what constant actions lead to in a peer that computes the serving step.

``python play.py SPEC EPISODES ACTION...`` with SPEC a row of peers.json and each ACTION five
numbers with commas between them: one line of JSON for each, by name one number an episode.
"""

import importlib
import json
import sys


def main() -> None:
    spec, episodes = json.loads(sys.argv[1]), int(sys.argv[2])
    play = importlib.import_module(spec["module"]).play
    actions = [[float(number) for number in text.split(",")] for text in sys.argv[3:]]
    for played in play(spec["options"], actions, episodes):
        print(json.dumps({name: values.tolist() for name, values in played.items()}), flush=True)


if __name__ == "__main__":
    main()
