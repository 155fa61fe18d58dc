"""Serving by rank alone, stopping turns at once for whoever ranks before them."""

from __future__ import annotations

from rota.domain.reasons import SomebodyWaits
from rota.policy.baselines.fifo import all_in_order
from rota.policy.baselines.in_line import REASON, free_place
from rota.policy.decide import Decision
from rota.policy.floor import Floor
from rota.policy.line import Candidate
from rota.policy.order import Contender, merged
from rota.policy.place import place_soon
from rota.policy.rank import NEVER
from rota.policy.shapes import Shape
from rota.policy.standing import Standing
from rota.policy.values import Begin, End


def serve_by_rank(standing: Standing, at: float) -> Decision:
    """The lowest ranks run; everybody else waits. No quantum, no shares."""
    standing.advance(at)
    decision = Decision()
    if not standing.shapes:
        return decision
    contenders = [Contender(running, standing.key_of(running, at)) for running in standing.open.values()]
    contenders.sort(key=lambda one: one.key)
    floor = Floor(standing, contenders, at)
    refused: set[Shape] = set()
    for served in merged(all_in_order(standing), contenders):
        if isinstance(served, Contender):
            floor.keep_going(served.running)
            continue
        if floor.is_full or len(refused) == len(standing.shapes):
            break
        shape = served.shape
        if shape not in refused and not _serve(standing, floor, served, decision):
            refused.add(shape)
    changes = [
        standing.ranking.changes_at(one.job, one.attained_gpu_s(at), standing.estimates.get(one.job.id), at)
        for one in standing.open.values()
    ]
    decision.look_again_at = min((moment for moment in changes if at < moment < NEVER), default=None)
    return decision


def _serve(standing: Standing, floor: Floor, candidate: Candidate, decision: Decision) -> bool:
    job = candidate.job
    found = free_place(job, standing, floor)
    if found is not None:
        for bay, places in found.bays:
            floor.claim_free(bay, list(places))
        gpus = found.gpus
        names = tuple([gpu.uuid for gpu in gpus])
        # No quantum: the turn may be stopped at once.
        decision.begins.append(Begin(job.id, names, gpus[0].node, gpus[0].tier, floor.at, None, REASON))
        return True
    for tier in job.request.tiers or standing.tiers:
        if tier not in standing.bays.indexes:
            continue
        found = place_soon(job, 0.0, tier, floor)
        if found is not None:
            for running in found.stops:
                decision.ends.append(End(running.turn.id, SomebodyWaits(job.id, job.member, 0.0)))
                floor.stop(running)
            for bay, places in found.bays:
                chosen = set(places)
                floor.claim_free(bay, [gpu for gpu in floor.free_in(bay) if gpu in chosen])
                floor.claim_freeing(bay, chosen)
            return True
    return False
