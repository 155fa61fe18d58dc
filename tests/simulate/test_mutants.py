"""Each invariant catches a daemon that is broken on purpose; a check that cannot fail is no check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rota.daemon import core as core_module
from rota.daemon.books import Books, Draft
from rota.daemon.core import Core
from rota.domain.jobs import Job, JobState
from rota.domain.turns import Turn
from rota.engines.contract import Ended, StartOrder
from rota.errors import RotaError
from rota.policy.values import Plan, Snapshot
from rota.simulate.engine import SimulatedEngine
from rota.simulate.run import run
from rota.store.contract import Entries
from rota.store.memory import MemoryStore

Patch = Callable[[pytest.MonkeyPatch], None]


def grants_a_busy_gpu(patch: pytest.MonkeyPatch) -> None:
    """The policy forgets one running turn."""
    make_plan = core_module.make_plan

    def forgetful(snapshot: Snapshot) -> Plan:
        return make_plan(replace(snapshot, turns=snapshot.turns[1:]))

    patch.setattr(core_module, "make_plan", forgetful)


def starts_before_it_records(patch: pytest.MonkeyPatch) -> None:
    """Engine first, record second: a crash between the two leaves a turn that nobody knows."""
    record = Core._record

    def too_late(self: Core, draft: Draft) -> None:
        entries = draft.entries()
        for turn in entries.turns:
            if turn.state == "granted":
                launch = self.laboratory.store.launch(turn.job)
                gpus = tuple(gpu for gpu in self.laboratory.fleet.gpus if gpu.uuid in turn.gpus)
                order = StartOrder(turn.id, turn.job, turn.number, "", "", launch, gpus, 0.0, checkpoint="/checkpoint")
                self.engine.start(order)
        record(self, draft)

    patch.setattr(Core, "_record", too_late)


def forgets_turns_after_a_crash(patch: pytest.MonkeyPatch) -> None:
    """A new daemon does not look for the turns of the old one."""
    patch.setattr(SimulatedEngine, "adopt", lambda self, order, was_started: None)


def acknowledges_before_it_records(patch: pytest.MonkeyPatch) -> None:
    """Answers although the store failed."""
    record = Core._record

    def careless(self: Core, draft: Draft) -> None:
        try:
            record(self, draft)
        except RotaError:
            self.books.take_over(draft.entries())

    patch.setattr(Core, "_record", careless)


def charges_wall_clock_instead_of_the_keepers(patch: pytest.MonkeyPatch) -> None:
    """GPU-seconds from grant to end, which a clock that jumps makes wrong."""
    record = MemoryStore.record

    def charge(turn: Turn) -> Turn:
        if turn.ended_at is None:
            return turn
        return replace(turn, gpu_s=(turn.ended_at - turn.granted_at) * len(turn.gpus))

    def wrong(self: MemoryStore, entries: Entries) -> None:
        record(self, replace(entries, turns=tuple(charge(turn) for turn in entries.turns)))

    patch.setattr(MemoryStore, "record", wrong)


def takes_a_notice_for_the_end(patch: pytest.MonkeyPatch) -> None:
    """A job that exits 0 after the notice is called finished, though it has work left."""
    from rota.daemon import outcomes

    judge = outcomes.outcome_of

    def hasty(ended: Ended, turn: Turn, job: Job) -> outcomes.Outcome:
        return judge(replace(ended, notice_at=None), turn, job)

    patch.setattr(outcomes, "outcome_of", hasty)


def loses_jobs_of_failed_turns(patch: pytest.MonkeyPatch) -> None:
    """A waiting job drops out of the books."""
    take_over = Books.take_over

    def leaky(self: Books, entries: Entries) -> None:
        take_over(self, entries)
        for job in entries.jobs:
            if job.turns == 1 and job.state is JobState.WAITING:
                self.jobs.pop(job.id, None)

    patch.setattr(Books, "take_over", leaky)


MUTANTS: list[Patch] = [
    grants_a_busy_gpu,
    starts_before_it_records,
    forgets_turns_after_a_crash,
    acknowledges_before_it_records,
    charges_wall_clock_instead_of_the_keepers,
    takes_a_notice_for_the_end,
    loses_jobs_of_failed_turns,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_daemon_is_caught(mutant: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        for seed in range(60):
            run(seed)
