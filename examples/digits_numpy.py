"""Trains a small network on scikit-learn's digits with NumPy, and goes on where it stopped, to the last bit.

    rota run --checkpoint digits.npz -- python examples/digits_numpy.py

The checkpoint holds the weights, the epoch, and the state of the random generator that shuffles: so the weights at the
end are the same with and without rotation, and so is the checksum that it prints.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import rota_turn
from sklearn.datasets import load_digits

HIDDEN, RATE, BATCH = 32, 0.1, 32
is_asked_to_stop = False


def stop(*_: object) -> None:
    """SIGUSR1: finish the epoch, save, and ask for another turn."""
    global is_asked_to_stop  # noqa: PLW0603  (what a signal handler can do)
    is_asked_to_stop = True


def fresh() -> dict[str, object]:
    """Weights before the first epoch."""
    random = np.random.default_rng(7)
    return {
        "first": random.normal(0, 0.1, (64, HIDDEN)),
        "second": random.normal(0, 0.1, (HIDDEN, 10)),
        "epoch": 0,
        "random": random,
    }


def load(path: Path) -> dict[str, object]:
    if not path.exists():
        return fresh()
    with np.load(path) as saved:
        random = np.random.default_rng()
        random.bit_generator.state = json.loads(str(saved["random"]))
        return {"first": saved["first"], "second": saved["second"], "epoch": int(saved["epoch"]), "random": random}


def save(path: Path, model: dict[str, object]) -> None:
    """Written beside and renamed into place."""
    draft = path.with_suffix(".tmp")
    with draft.open("wb") as file:
        state = json.dumps(model["random"].bit_generator.state)
        np.savez(file, first=model["first"], second=model["second"], epoch=model["epoch"], random=state)
    os.replace(draft, path)


def train_one_epoch(model: dict[str, object], images: np.ndarray, labels: np.ndarray) -> float:
    """Gradient descent on cross-entropy; the mean loss."""
    losses = []
    order = model["random"].permutation(len(images))
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        x, y = images[chosen], labels[chosen]
        hidden = np.maximum(x @ model["first"], 0)
        logits = hidden @ model["second"]
        chance = np.exp(logits - logits.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        losses.append(-np.log(chance[np.arange(len(y)), y] + 1e-12).mean())
        chance[np.arange(len(y)), y] -= 1
        back = (chance @ model["second"].T) * (hidden > 0)
        model["second"] = model["second"] - RATE * hidden.T @ chance / len(y)
        model["first"] = model["first"] - RATE * x.T @ back / len(y)
    return float(np.mean(losses))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--pace", type=float, default=0.0, help="seconds to wait after each epoch, to see it rotate")
    wanted = parser.parse_args()
    signal.signal(signal.SIGUSR1, stop)
    path = Path(rota_turn.checkpoint_path("digits.npz"))
    digits = load_digits()
    images, labels = digits.data / 16.0, digits.target
    model = load(path)
    print(f"turn {os.environ.get('ROTA_TURN', '-')}: going on after epoch {model['epoch']}", flush=True)
    while model["epoch"] < wanted.epochs:
        loss = train_one_epoch(model, images, labels)
        model["epoch"] += 1
        time.sleep(wanted.pace)
        rota_turn.progress(model["epoch"], wanted.epochs)
        print(f"epoch {model['epoch']}: loss {loss:.4f}", flush=True)
        if is_asked_to_stop:
            save(path, model)
            sys.exit(85)
    save(path, model)
    right = (np.maximum(images @ model["first"], 0) @ model["second"]).argmax(axis=1) == labels
    weights = model["first"].tobytes() + model["second"].tobytes()
    print(f"accuracy {right.mean():.3f}")
    print("checksum", hashlib.sha256(weights).hexdigest()[:16])


if __name__ == "__main__":
    main()
