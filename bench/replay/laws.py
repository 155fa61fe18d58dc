"""The laws of the shared list, with members drawn over a trace: shares, waits, and a flood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from bench.replay.cases import Case
from bench.replay.flood import FLOOD_JOBS, Lengthened, flooded, lengthened
from bench.replay.shares import deviations
from bench.replay.synthetic import OVER
from bench.replay.targets import Target, say_targets
from bench.replay.waits import member_waits
from bench.replay.workers import in_workers
from rota.fleet.notation import parse_fleet
from rota.policy.quantum import Bounds
from rota.policy.values import Rules
from rota.simulate.replay.compare import Setting, replay_one
from rota.simulate.replay.fit import fit
from rota.simulate.replay.information import Information
from rota.simulate.replay.members import draw_members
from rota.simulate.replay.report import offered_load, quantile
from rota.simulate.replay.values import Replayed, Trace

FLEET, NODE_GPUS = "3x h100:8", 8
MEMBERS, SKEW = 12, 1.0
WEIGHTS = {"p1": 1.0, "p2": 2.0, "p3": 1.0, "p4": 3.0}
QUANTUM_S = 3600.0  #: fixed, so that a wait in quanta means the same all the time
TRACES = ("philly-11cb48", "philly-b436b2")

ABOUT = """\
Laws: {members} members (Zipf), {projects} projects weighing {weights}, {fleet}, noisy, quantum fixed at 1 h
  shares: of a project that has a job waiting all week, GPU time received against its share by weight; over any week
  waits: of a member with nothing running and a job of at most one node waiting, until any turn of theirs begins
  flood: {jobs:,} jobs of one member at once; first waits of others' jobs with it less those without it, in quanta;
         "alone": their member had nothing else on the list in either"""

MOST_POINTS, MOST_QUANTA, MOST_LONGER = 2.0, 3.0, 1.0


@dataclass(frozen=True, slots=True)
class FloodOf:
    """Who submits a thousand jobs at once, when a third of the trace's have been submitted."""

    member: str
    gpus: int
    duration_s: float


#: Of who submits most with jobs of a node each, and of who submits least with small ones.
FLOODS = (FloodOf("m1", 8, 4 * 3600.0), FloodOf("m12", 1, 3600.0))


@dataclass(frozen=True, slots=True)
class Flooded:
    """By how many quanta one flood lengthened others' first waits."""

    flood: FloodOf
    quanta: tuple[float, ...]  #: of every job from then on, ascending
    quanta_alone: tuple[float, ...]  #: of those whose members had nothing else on the list


@dataclass(frozen=True, slots=True)
class Kept:
    """What one trace says of the laws."""

    case: Case
    jobs: int
    load: float
    points: dict[str, tuple[float, ...]]  #: by project, of each backlogged week; ascending
    waits: tuple[float, ...]  #: in quanta, ascending
    floods: tuple[Flooded, ...]


def show_laws(cases: Sequence[Case], floods: Sequence[FloodOf] = FLOODS) -> None:
    """For each trace what is worst, beside the law."""
    chosen = [*(case for case in cases if case.name in TRACES), Case(OVER.name, OVER.fleet)]
    weights = ":".join(f"{weight:.0f}" for weight in WEIGHTS.values())
    print(ABOUT.format(members=MEMBERS, projects=len(WEIGHTS), weights=weights, fleet=FLEET, jobs=FLOOD_JOBS))
    for kept in in_workers(_replay, [(case, tuple(floods)) for case in chosen], "laws"):
        print(f"{kept.case.name}: {kept.jobs:,} jobs, offered load {kept.load:.2f}")
        print(say_targets(targets_of(kept)), flush=True)
    print()


def targets_of(kept: Kept) -> list[Target]:
    """The worst of each law; what was never put to the test has no line."""
    targets = [
        Target(f"shares: {project} short by, worst of {len(points):,} weeks", -points[0], MOST_POINTS, " points")
        for project, points in kept.points.items()
    ]
    if kept.waits:
        targets.append(Target(f"waits: longest of {len(kept.waits):,}", kept.waits[-1], MOST_QUANTA, " quanta"))
    for one in kept.floods:
        for who, quanta, most_longer in (("alone", one.quanta_alone, MOST_LONGER), ("all", one.quanta, None)):
            if quanta:
                middle, most = median(quanta), quantile(quanta, 0.99)
                flood = f"flood by {one.flood.member} of {one.flood.gpus} GPU, {who} {len(quanta):,}"
                what = f"{flood}: median {middle:.2f}, p99 {most:.2f}; worst"
                targets.append(Target(what, quanta[-1], most_longer, " quanta"))
    return targets


def _replay(task: tuple[Case, tuple[FloodOf, ...]]) -> Kept:
    case, floods = task
    setting = _setting(case)
    plain = replay_one(setting, "rota", keeps_turns=True)
    points: dict[str, list[float]] = {}
    for deviation in deviations(plain, WEIGHTS, NODE_GPUS):
        points.setdefault(deviation.project, []).append(deviation.points)
    return Kept(
        case=case,
        jobs=len(setting.trace.jobs),
        load=offered_load(setting.trace, setting.fastest_gpus) or 0.0,
        points={project: tuple(sorted(values)) for project, values in points.items()},
        waits=tuple(sorted(wait.quanta for wait in member_waits(plain, QUANTUM_S, NODE_GPUS))),
        floods=tuple([_flood(setting, plain, flood) for flood in floods]),
    )


def _setting(case: Case) -> Setting:
    fleet = parse_fleet(FLEET)
    trace: Trace = fit(draw_members(case.trace(), MEMBERS, len(WEIGHTS), SKEW, seed=0), fleet)
    bounds = Bounds(QUANTUM_S, QUANTUM_S)
    return Setting(trace, fleet, FLEET, Rules(project_weights=WEIGHTS), bounds, Information.NOISY, seed=0)


def _flood(setting: Setting, plain: Replayed, flood: FloodOf) -> Flooded:
    at_s = setting.trace.jobs[len(setting.trace.jobs) // 3].submit_s
    trace = flooded(setting.trace, flood.member, at_s, flood.gpus, flood.duration_s)
    with_flood = replay_one(replace(setting, trace=trace), "rota", keeps_turns=False)
    found = lengthened(plain, with_flood, flood.member, QUANTUM_S)
    return Flooded(flood, _ascending(found), _ascending([one for one in found if one.is_first]))


def _ascending(found: Sequence[Lengthened]) -> tuple[float, ...]:
    return tuple(sorted(one.quanta for one in found))
