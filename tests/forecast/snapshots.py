"""Small laboratories of any kind, each from its seed."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace

from rota.domain.estimates import Estimate, Source
from rota.domain.gpus import Condition, Gpu
from rota.domain.jobs import AfterTurn, Job, JobState
from rota.domain.turns import Turn, TurnState
from rota.fleet.notation import parse_fleet
from rota.policy.values import Rules, Snapshot
from tests.builders import a_job, a_turn

AT, QUANTUM_S = 10_000.0, 900.0
FLEET = parse_fleet("2x h100:3,1x t4:2")


def any_snapshot(seed: int) -> Snapshot:
    """A small laboratory: running, ending and waiting jobs of five members, some of them odd."""
    chance = random.Random(seed)
    jobs: list[Job] = []
    turns: list[Turn] = []
    free: dict[tuple[str, str], list[Gpu]] = defaultdict(list)
    for gpu in FLEET.gpus:
        free[gpu.node, gpu.tier].append(gpu)
    for number in range(1, chance.randint(2, 14)):
        jobs.append(any_job(number, chance))
        if (bay := chance.choice(list(free.values()))) and chance.random() < 0.7:
            job, turn = running(jobs.pop(), bay, chance)
            jobs.append(job)
            turns.append(turn)
    waiting = [job.id for job in jobs if job.state is JobState.WAITING]
    return Snapshot(
        at=AT,
        nodes={node.name: node for node in FLEET.nodes},
        gpus=FLEET.gpus,
        conditions={gpu.uuid: chance.choice(list(Condition)) for gpu in FLEET.gpus if chance.random() < 0.1},
        tiers=FLEET.tiers,
        jobs=tuple(jobs),
        turns=tuple(turns),
        project_usage_gpu_s={job.project: chance.uniform(0.0, 1e5) for job in jobs},
        member_usage_gpu_s={(job.project, job.member): chance.uniform(0.0, 1e5) for job in jobs},
        rules=Rules(quantum_s=QUANTUM_S, speeds={"h100": 1.0, "t4": 0.2}),
        is_blocked_by={job: (chance.randint(1, 15),) for job in waiting if chance.random() < 0.15},
        estimates={job.id: any_estimate(chance) for job in jobs if chance.random() < 0.6},
    )


def any_job(number: int, chance: random.Random) -> Job:
    since = AT - chance.choice((0.0, 100.0, 5000.0, 9000.0))
    return a_job(
        number, member=f"m{chance.randint(1, 5)}", project=f"p{chance.randint(1, 2)}", submitted_at=since,
        waiting_since=since, gpus=chance.choice((1, 1, 1, 2, 3, 5, 9)), tiers=chance.choice(((), ("h100",), ("t4",))),
        checkpoint=chance.choice(("runs/*.pt", "runs/*.pt", None)), time_s=chance.choice((None, 600.0, 5000.0)),
    )  # fmt: skip


def running(job: Job, bay: list[Gpu], chance: random.Random) -> tuple[Job, Turn]:
    """It has a turn on some of the free GPUs of this node."""
    held = [bay.pop() for _ in range(chance.randint(1, len(bay)))]
    since = AT - chance.uniform(0.0, 2 * QUANTUM_S)
    turn = a_turn(
        job.id, gpus=tuple(gpu.uuid for gpu in held), node=held[0].node, tier=held[0].tier, granted_at=since,
        began_at=since, guaranteed_until=since + QUANTUM_S, limit_at=None if job.request.is_resumable else AT + 700.0,
        state=chance.choice((TurnState.RUNNING, TurnState.ENDING)),
    )  # fmt: skip
    after = chance.choice((None, *AfterTurn)) if turn.state is TurnState.ENDING else None
    request = replace(job.request, gpus=len(held), tiers=())
    return replace(job, state=JobState.RUNNING, turns=1, request=request, after_turn=after), turn


def any_estimate(chance: random.Random) -> Estimate:
    return Estimate(chance.choice((50.0, 2000.0, 50_000.0)), chance.choice(list(Source)))
