"""A random laboratory day: fleet, jobs, and what members and administrators do."""

from __future__ import annotations

import random
from dataclasses import dataclass

from rota.daemon.commands import Cancel, Command, GiveBack, Hold, Mark, Release, Submit, Task
from rota.domain.gpus import Condition, Fleet, Gpu, Node
from rota.domain.jobs import Dependency, Launch, Request
from rota.domain.members import Member
from rota.simulate.faults import FaultRates
from rota.simulate.machine import Manner, Script

MEMBERS = ("kim", "lee", "park", "choi")
PROJECTS = ("vision", "speech")
ADMIN = Member("root", 0, is_admin=True)
ROUGH = FaultRates(crash=0.02, store=0.02, engine=0.02, lost_turn=0.01, broken_gpu=0.005, clock_jump=0.002)


@dataclass(frozen=True, slots=True)
class Scenario:
    """How large and how rough a simulated laboratory is. Times in virtual seconds."""

    jobs: int = 12
    gpus: tuple[int, ...] = (2, 2)  #: on each node; the first node is h100, the others rtx3090
    quantum_s: float = 10.0
    lasts_s: float = 120.0  #: submits, commands and faults happen in this time; then everything works
    longest_job_s: float = 60.0
    rates: FaultRates = ROUGH


def fleet_of(gpus_per_node: tuple[int, ...]) -> Fleet:
    """One node per entry."""
    tiers = ["h100" if number == 0 else "rtx3090" for number in range(len(gpus_per_node))]
    names = [f"{tier}-{number}" for number, tier in enumerate(tiers)]
    gpus = tuple(
        Gpu(f"SIM-{names[n]}-{index}", index, names[n], tiers[n], tiers[n].upper(), 2**36, is_simulated=True)
        for n, many in enumerate(gpus_per_node)
        for index in range(many)
    )
    nodes = tuple(Node(name, 64, 2**40) for name in names)
    return Fleet(nodes, gpus, tuple(dict.fromkeys(tiers)), is_simulated=True)


def random_submit(scenario: Scenario, chance: random.Random, jobs_so_far: int) -> Submit:
    """A job, or a small array, of somebody."""
    is_resumable = chance.random() < 0.8
    manner = chance.choice(list(Manner)) if is_resumable else Manner.DEAF
    longest_s = scenario.quantum_s if manner is Manner.DEAF else scenario.longest_job_s
    script = Script(round(chance.uniform(1.0, longest_s), 3), manner, round(chance.uniform(1.0, 8.0), 3))
    after = (
        (Dependency(chance.randint(1, jobs_so_far), any_end=True),) if jobs_so_far and chance.random() < 0.15 else ()
    )
    request = Request(
        gpus=chance.choice((1, 1, 1, 2, max(scenario.gpus))),
        tiers=chance.choice(((), (), ("h100",), ("rtx3090", "h100"))),
        checkpoint="/checkpoint" if is_resumable else None,
        time_s=None if is_resumable else script.target + 30.0,
        retries=1,
        after=after,
    )
    member = chance.choice(MEMBERS)
    tasks = chance.choice((1, 1, 1, 3))
    launch = Launch(script.to_argv(), "/")
    names = tuple(Task(f"job-{number}", launch, "count", str(number) if tasks > 1 else "") for number in range(tasks))
    return Submit(Member(member, 1000), member, chance.choice(PROJECTS), request, names)


def random_command(fleet: Fleet, chance: random.Random, jobs_so_far: int) -> Command:
    """What people do in a day, sensible or not."""
    job = chance.randint(1, jobs_so_far + 2)
    gpu = (chance.choice(fleet.gpus).uuid,)
    return chance.choice(
        (
            Cancel(ADMIN, job),
            Hold(ADMIN, job),
            Release(ADMIN, job),
            GiveBack(ADMIN, job),
            Mark(ADMIN, gpu, Condition.DRAINED, "cleaning"),
            Mark(ADMIN, gpu, Condition.HEALTHY),
        )
    )
