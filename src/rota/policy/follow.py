"""A Standing brought from one snapshot to the next: between two plans little changes, and only that costs time."""

from __future__ import annotations

from rota.domain.jobs import Job, JobState
from rota.domain.turns import Turn, TurnState
from rota.policy.plan import plan_from
from rota.policy.rank import ShortRemaindersFirst
from rota.policy.standing import Standing
from rota.policy.values import Plan, Snapshot


class Follower:
    """Holds the Standing of the latest snapshot. It decides as one made afresh would (tests/policy/test_follow.py)."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._standing: Standing | None = None
        self._waiting: dict[int, Job] = {}

    def plan(self, snapshot: Snapshot, wants_reasons: bool = True) -> Plan:
        """What `policy.plan` says of this snapshot, at the cost of what has changed since the latest one."""
        return plan_from(self.standing_of(snapshot), snapshot, wants_reasons)

    def standing_of(self, snapshot: Snapshot) -> Standing:
        """How things stand at this moment."""
        before, standing = self._snapshot, self._standing
        waiting = {
            job.id: job
            for job in snapshot.jobs
            if job.state is JobState.WAITING and job.id not in snapshot.is_blocked_by
        }
        if before is None or standing is None or not _is_same_laboratory(before, snapshot):
            standing = Standing.of(snapshot, ShortRemaindersFirst(snapshot.rules))
        else:
            self._take_turns(standing, before, snapshot)
            self._take_waiting(standing, waiting, snapshot)
            standing.project_usage_gpu_s = snapshot.project_usage_gpu_s
            standing.member_usage_gpu_s = snapshot.member_usage_gpu_s
            standing.advances_gpu_s = snapshot.advances_gpu_s
            standing.served_until = dict(snapshot.served_until)
        self._snapshot, self._standing, self._waiting = snapshot, standing, waiting
        return standing

    def _take_waiting(self, standing: Standing, waiting: dict[int, Job], snapshot: Snapshot) -> None:
        """Jobs that came, went, or of which something else is known now."""
        estimates, known = snapshot.estimates, standing.estimates
        for job_id, job in self._waiting.items():
            if waiting.get(job_id) is not job or estimates.get(job_id) != known.get(job_id):
                standing.remove(job)
        for job_id, job in waiting.items():
            is_same = self._waiting.get(job_id) is job
            estimate = estimates.get(job_id)
            if is_same and estimate == known.get(job_id):
                continue
            if estimate is None:
                standing.forget(job_id)
            else:
                standing.know(job_id, estimate)
            standing.add(job)
        for job_id in self._waiting.keys() - waiting.keys() - estimates.keys():
            standing.forget(job_id)

    def _take_turns(self, standing: Standing, before: Snapshot, snapshot: Snapshot) -> None:
        """Turns that began, were told to end, or ended; and what their jobs have shown meanwhile."""
        jobs = {job.id: job for job in snapshot.jobs}
        now = {turn.id: turn for turn in snapshot.turns if turn.job in jobs}
        for turn_id in [turn_id for turn_id in standing.running if turn_id not in now]:
            standing.end(turn_id, snapshot.at)
        for turn_id, turn in now.items():
            running, job = standing.running.get(turn_id), jobs[turn.job]
            if running is None:
                if (waited := self._waiting.pop(job.id, None)) is not None:
                    standing.remove(waited)
                standing.begin(turn, job)
                continue
            if _has_new_terms(running.turn, turn):
                standing.end(turn_id, snapshot.at)
                standing.begin(turn, job)
                continue
            if turn.state is TurnState.ENDING and turn_id not in standing.ending:
                standing.notice(turn_id)
            running.turn, running.job = turn, job
        for turn in now.values():
            estimate = snapshot.estimates.get(turn.job)
            if estimate is None:
                standing.forget(turn.job)
            elif estimate != standing.estimates.get(turn.job):
                standing.know(turn.job, estimate)


def _is_same_laboratory(before: Snapshot, now: Snapshot) -> bool:
    """Whether only time, jobs, turns and what is known of them have changed; time that went back changes all."""
    return (
        now.at >= before.at
        and now.gpus is before.gpus
        and now.nodes == before.nodes
        and now.tiers == before.tiers
        and now.conditions == before.conditions
        and now.rules == before.rules
        and now.reservations == before.reservations
    )


def _has_new_terms(before: Turn, now: Turn) -> bool:
    """Whether a turn holds other GPUs, or for another time, than was known."""
    return (before.gpus, before.node, before.granted_at, before.guaranteed_until, before.limit_at) != (
        now.gpus, now.node, now.granted_at, now.guaranteed_until, now.limit_at,
    )  # fmt: skip
