"""Merely saves now and then, and knows nothing of Rota: most scripts are like this.

    rota run --checkpoint sum.json -- python examples/periodic.py sum.json

Rota sees how often it saves, and ends its turn right after a save, so that nothing is lost.
"""

import json
import os
import sys
import time

path = sys.argv[1] if len(sys.argv) > 1 else "sum.json"
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 100
pace_s = float(sys.argv[3]) if len(sys.argv) > 3 else 0.05

state = {"step": 0, "sum": 0}
if os.path.exists(path):
    with open(path) as file:
        state = json.load(file)
print("going on after step", state["step"], flush=True)

while state["step"] < steps:
    time.sleep(pace_s)
    state["step"] += 1
    state["sum"] = (state["sum"] * 31 + state["step"] ** 2) % 1_000_000_007
    if state["step"] % 10 == 0 or state["step"] == steps:
        with open(path + ".tmp", "w") as file:
            json.dump(state, file)
        os.replace(path + ".tmp", path)

print("checksum", state["sum"])
