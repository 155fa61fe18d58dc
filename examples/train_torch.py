"""A PyTorch training that goes on where it stopped: model, optimizer, and every random state are in the checkpoint.

    rota run --gpus 1 --checkpoint torch.pt -- python examples/train_torch.py

Works on a GPU and without one. On one kind of device the checksum at the end is the same with and without rotation.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from pathlib import Path

import rota_turn
import torch


def make(device: str) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A small network that learns a made-up function."""
    torch.manual_seed(7)
    model = torch.nn.Sequential(torch.nn.Linear(16, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1)).to(device)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3)


def save(path: Path, step: int, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Written beside and renamed into place."""
    state = {
        "step": step,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
    }
    draft = path.with_suffix(".tmp")
    torch.save(state, draft)
    os.replace(draft, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--save-every", type=int, default=100, help="steps")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds to wait after each step, to see it rotate")
    wanted = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what determinism needs on a GPU
    device = "cuda" if torch.cuda.is_available() else "cpu"
    path = Path(rota_turn.checkpoint_path("torch.pt"))
    model, optimizer = make(device)
    step = 0
    if path.exists():
        state = torch.load(path, map_location=device, weights_only=True)
        step = state["step"]
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"].cpu())
    print(f"turn {os.environ.get('ROTA_TURN', '-')} on {device}: going on after step {step}", flush=True)
    while step < wanted.steps:
        inputs = torch.randn(256, 16).to(device)  # drawn on the host, so that its generator is the only one to save
        loss = ((model(inputs) - inputs.sin().sum(dim=1, keepdim=True)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        time.sleep(wanted.pace)
        rota_turn.progress(step, wanted.steps)
        if rota_turn.ending():
            save(path, step, model, optimizer)
            sys.exit(85)
        if step % wanted.save_every == 0:
            save(path, step, model, optimizer)
            print(f"step {step}: loss {loss.item():.4f}", flush=True)
    save(path, step, model, optimizer)
    weights = b"".join(part.detach().cpu().numpy().tobytes() for part in model.state_dict().values())
    print("checksum", hashlib.sha256(weights).hexdigest()[:16])


if __name__ == "__main__":
    main()
