"""A replay that somebody looks on at, who sees what a daemon would see and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from rota.domain.estimates import Estimate
from rota.domain.jobs import Job, JobState
from rota.policy.values import Begin, Snapshot
from rota.simulate.replay.run import Replay
from rota.simulate.replay.values import TraceJob


class Watch(Protocol):
    """Is told what happens, in its order. Times are seconds of the trace."""

    def submitted(self, job: Job, estimate: Estimate | None) -> None:
        """A job has come, of which this is believed; the policy has not been asked yet."""

    def waits(self, job: Job, snapshot: Callable[[], Snapshot]) -> None:
        """The policy has been asked, and a new job has no turn yet. `snapshot` makes one of this moment."""

    def began(self, job: Job, at: float, tier: str) -> None:
        """Its first turn."""

    def ended(self, job: Job, stated: Estimate | None, has_reported: bool) -> None:
        """A job is done, and has used what `attained_gpu_s` says. `stated`: what was believed at its submit."""


class WatchedReplay(Replay):
    """The same replay, decision for decision."""

    watch: Watch  #: set before `run`
    _new: list[int]

    def watched_by(self, watch: Watch) -> WatchedReplay:
        """Itself."""
        self.watch, self._new = watch, []
        return self

    def _submit(self, past: TraceJob) -> None:
        super()._submit(past)
        self._new.append(past.id)
        self.watch.submitted(self._runs[past.id].job, self.standing.estimates.get(past.id))

    def _begin(self, begin: Begin) -> None:
        super()._begin(begin)
        run = self._runs[begin.job]
        if run.turns == 1:
            self.watch.began(run.job, self.at, begin.tier)

    def _finish(self, job: int, number: int) -> bool:
        run = self._runs.get(job)
        is_done = super()._finish(job, number)
        if is_done and run is not None and run.turn is not None:
            attained_gpu_s = run.job.attained_gpu_s + (self.at - run.turn.granted_at) * run.past.gpus
            learnt_after_s = run.knowledge.learnt_after_s
            has_reported = learnt_after_s is not None and learnt_after_s < run.past.duration_s
            ended = replace(run.job, attained_gpu_s=attained_gpu_s, ended_at=self.at)
            self.watch.ended(ended, run.knowledge.at_submit, has_reported)
        return is_done

    def _decide(self) -> float:
        look_again_at = super()._decide()
        new, self._new = self._new, []
        for job in new:
            run = self._runs.get(job)
            if run is not None and run.turns == 0:
                self.watch.waits(run.job, self.snapshot)
        return look_again_at

    def snapshot(self) -> Snapshot:
        """This moment, as the daemon would take it."""
        standing = self.standing
        return Snapshot(
            at=self.at,
            nodes={node.name: node for node in self._fleet.nodes},
            gpus=self._fleet.gpus,
            conditions={},
            tiers=self._fleet.tiers,
            jobs=tuple(
                [
                    run.job if run.turn is None else replace(run.job, state=JobState.RUNNING, turns=run.turns)
                    for run in self._runs.values()
                ]
            ),
            turns=tuple([run.turn for run in self._runs.values() if run.turn is not None]),
            project_usage_gpu_s=dict(standing.project_usage_gpu_s),
            member_usage_gpu_s=dict(standing.member_usage_gpu_s),
            rules=self.rules,
            estimates=dict(standing.estimates),
            served_until=dict(standing.served_until),
        )
