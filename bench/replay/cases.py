"""What is replayed: the traces that are there, and the made-up laboratories, which always are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.replay.synthetic import LABORATORIES, OVER, synthetic_trace
from rota.fleet.notation import parse_fleet
from rota.policy.quantum import DEFAULT_BOUNDS
from rota.policy.values import Rules
from rota.simulate.replay.compare import Setting
from rota.simulate.replay.fit import fit
from rota.simulate.replay.information import Information
from rota.simulate.replay.traces import read_trace
from rota.simulate.replay.values import Trace

#: Virtual clusters of Microsoft's Philly trace (CC-BY-4.0, github.com/msr-fiddle/philly-traces; Jeon et al., USENIX
#: ATC 2019), each on about as many GPUs as its jobs keep busy.
FLEETS = {
    "philly-6214e9": "6x h100:8",
    "philly-b436b2": "8x h100:8",
    "philly-6c71a0": "5x h100:8",
    "philly-11cb48": "3x h100:8",
}
SYNTHETIC = {laboratory.name: laboratory for laboratory in (*LABORATORIES, OVER)}


@dataclass(frozen=True, slots=True)
class Case:
    """A trace on its fleet."""

    name: str
    fleet: str
    path: Path | None = None  #: none: made up

    def trace(self) -> Trace:
        return synthetic_trace(SYNTHETIC[self.name]) if self.path is None else read_trace(self.path)


@dataclass(frozen=True, slots=True)
class Known:
    """Average JCT, and mean wait for the first turn where it is known; seconds."""

    avg_jct_s: float
    first_wait_s: float | None = None


#: By trace: what others and we have found on the same jobs, fleet and preemption cost.
LUCID = "Lucid's open simulator"  # Hu et al., ASPLOS 2023; run by us
SKETCH = "our sketch"
KNOWN: dict[str, dict[tuple[str, str], Known]] = {
    "philly-b436b2": {
        ("fifo", LUCID): Known(1_825_084),
        ("sjf oracle", LUCID): Known(84_821),
        ("srtf oracle", LUCID): Known(26_922),
        ("tiresias", LUCID): Known(54_394),
        ("LAS none", SKETCH): Known(36_142, 6_758),
        ("noisy", SKETCH): Known(27_304, 4_595),
    },
    "philly-6c71a0": {
        ("fifo", SKETCH): Known(2_520_777),
        ("srtf oracle", SKETCH): Known(41_325),
        ("LAS none", SKETCH): Known(65_235, 3_032),
        ("noisy", SKETCH): Known(45_746, 1_586),
    },
    "philly-6214e9": {
        ("fifo", SKETCH): Known(1_404_272),
        ("srtf oracle", SKETCH): Known(45_429),
        ("LAS none", SKETCH): Known(100_582, 27_044),
        ("noisy", SKETCH): Known(52_869, 6_181),
    },
}


def known_of(case: str, what: str) -> Known | None:
    """A known figure by its name, whoever found it."""
    return next((known for (name, _), known in KNOWN.get(case, {}).items() if name == what), None)


def cases_in(folder: Path | None) -> list[Case]:
    """The known traces of a folder, packed or not, and then the made-up ones."""
    found = []
    for name, fleet in FLEETS.items() if folder else ():
        paths = [folder / f"{name}{ending}" for ending in (".csv.gz", ".csv")] if folder else []
        found += [Case(name, fleet, path) for path in paths if path.exists()][:1]
    return found + [Case(laboratory.name, laboratory.fleet) for laboratory in LABORATORIES]


@cache
def setting_of(case: Case, information: Information | None) -> Setting:
    """Everything that one replay of it needs; nobody owns the jobs, and one pool serves them all."""
    fleet = parse_fleet(case.fleet)
    return Setting(fit(case.trace(), fleet), fleet, case.fleet, Rules(), DEFAULT_BOUNDS, information, seed=0)
