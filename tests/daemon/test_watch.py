"""What is seen of GPUs becomes marks, and marks go away again by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from rota.daemon.commands import Mark
from rota.daemon.service import Service
from rota.daemon.watch import UNCLEAR_S, look_first, marks_for, watch, what_is_ours
from rota.domain.gpus import Condition
from rota.domain.turns import TurnState
from rota.errors import StoreUnavailable
from rota.fleet.health import WATCHER, Ours, Seen
from rota.store.contract import Entries
from rota.store.memory import MemoryStore
from tests.builders import a_fleet
from tests.daemon.live import ROOT, START_S, Live, a_live

DOWN = (Condition.FAILED, "node down in Slurm: Not responding")
DRAINED = (Condition.DRAINED, "node drained in Slurm: new fan")
TAKEN = (Condition.TAKEN, "somebody uses it outside the list")


def a_laboratory(gpus: int = 2) -> Live:
    return a_live(a_fleet(lab=("h100", gpus)))


def see(live: Live, seen: Seen | None) -> None:
    """One look that sees this."""
    for mark in marks_for(seen, live.core):
        live.ask(mark)


def conditions(live: Live) -> Mapping[str, Condition]:
    return live.core.books.conditions()


# --- marks ---------------------------------------------------------------------------------------


def test_what_is_seen_is_marked_with_its_reason_and_is_well_again_when_it_is_seen_no_more() -> None:
    live = a_laboratory(3)
    see(live, {"gpu-0": DOWN, "gpu-1": DRAINED, "gpu-2": TAKEN})
    assert [(m.condition, m.why) for m in live.core.books.marks.values()] == [DOWN, DRAINED, TAKEN]
    see(live, {"gpu-1": DRAINED})
    assert conditions(live) == {"gpu-1": Condition.DRAINED}
    see(live, {})
    assert conditions(live) == {}


def test_nobody_answered_changes_nothing() -> None:
    live = a_laboratory()
    see(live, {"gpu-0": DOWN})
    see(live, None)
    assert conditions(live) == {"gpu-0": Condition.FAILED}


def test_an_administrators_drain_is_left_alone() -> None:
    live = a_laboratory()
    live.ask(Mark(ROOT, ("gpu-0",), Condition.DRAINED, "mine"))
    for seen in ({"gpu-0": DOWN}, {"gpu-0": TAKEN}, {}):
        see(live, seen)
        assert live.core.books.marks["gpu-0"].why == "mine"
    live.ask(Mark(ROOT, ("gpu-0",), Condition.HEALTHY))
    see(live, {"gpu-0": TAKEN})
    assert live.core.books.marks["gpu-0"].by == WATCHER


def test_marks_outlive_the_daemon_and_still_go_away_by_themselves() -> None:
    live = a_laboratory()
    see(live, {"gpu-0": TAKEN})
    live.restart()
    assert conditions(live) == {"gpu-0": Condition.TAKEN}
    see(live, {})
    assert conditions(live) == {}


# --- what follows from them ----------------------------------------------------------------------


def test_no_turn_begins_on_a_gpu_that_somebody_else_has_until_it_is_given_back() -> None:
    live = a_laboratory()
    see(live, {"gpu-1": TAKEN})
    first, second = live.submit(), live.submit()
    live.run(1)
    assert [(turn.job, turn.gpus) for turn in live.core.books.turns.values()] == [(first, ("gpu-0",))]
    see(live, {})
    live.run(1)
    assert [(turn.job, turn.gpus) for turn in live.core.books.turns.values()][1:] == [(second, ("gpu-1",))]


def test_a_turn_on_a_gpu_that_is_marked_as_taken_goes_on_and_past_its_quantum() -> None:
    live = a_laboratory(1)
    job = live.submit()
    live.run(1)
    see(live, {"gpu-0": TAKEN})
    live.submit(member="lee")
    live.run(500)
    (turn,) = live.core.books.turns.values()
    assert (turn.job, turn.number, turn.state) == (job, 1, TurnState.RUNNING)


def test_a_failed_node_ends_its_turn_and_its_job_goes_on_elsewhere() -> None:
    live = a_laboratory()
    job = live.submit()
    live.run(1)
    (turn,) = live.core.books.turns.values()
    see(live, dict.fromkeys(turn.gpus, DOWN))
    live.run(30)
    (again,) = live.core.books.turns.values()
    assert (again.job, again.number) == (job, 2)
    assert again.gpus != turn.gpus


def test_the_first_look_comes_before_the_first_plan() -> None:
    live = a_laboratory(1)
    live.submit()
    look_first(live.core, lambda ours: {"gpu-0": DOWN}, live.at)
    live.run(1)
    assert live.core.books.turns == {}


# --- what is ours --------------------------------------------------------------------------------


def test_a_turn_is_unclear_until_it_has_begun_and_ours_then() -> None:
    live = a_laboratory(1)
    live.submit()
    live.core.advance(live.at)
    assert what_is_ours(live.core.books, live.at) == Ours(unsure=frozenset({"gpu-0"}))
    late = live.at + UNCLEAR_S
    assert what_is_ours(live.core.books, late) == Ours(waiting=frozenset({"gpu-0"}))
    live.run(2 * START_S)
    assert what_is_ours(live.core.books, late) == Ours(held=frozenset({"gpu-0"}))


def test_a_turn_that_has_ended_is_unclear_for_a_moment_longer() -> None:
    live = a_laboratory(1)
    live.submit(work_s=10.0)
    live.run(20)
    (turn, _), *_ = live.core.books.past
    assert turn.ended_at is not None
    assert what_is_ours(live.core.books, turn.ended_at + UNCLEAR_S - 1) == Ours(unsure=frozenset({"gpu-0"}))
    assert what_is_ours(live.core.books, turn.ended_at + UNCLEAR_S) == Ours()


def test_what_is_marked_as_taken_is_known_to_who_looks() -> None:
    live = a_laboratory()
    see(live, {"gpu-0": TAKEN, "gpu-1": DRAINED})
    assert what_is_ours(live.core.books, live.at).taken == {"gpu-0"}


# --- the loop ------------------------------------------------------------------------------------


@dataclass
class Looks:
    """Sees what the test says; an exception is raised."""

    seen: Seen | Exception | None = None
    count: int = 0
    given: Ours = field(default_factory=Ours)

    def __call__(self, ours: Ours) -> Seen | None:
        self.count, self.given = self.count + 1, ours
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen

    async def once_more(self) -> None:
        """Until a look that began from now on has been taken up."""
        until = self.count + 2
        while self.count < until:
            await asyncio.sleep(0.001)


@dataclass
class Watched:
    live: Live = field(default_factory=a_laboratory)
    looks: Looks = field(default_factory=Looks)

    async def __aenter__(self) -> Watched:
        self.service = Service(self.live.core, lambda: self.live.at)
        self.tasks = [
            asyncio.create_task(self.service.run()),
            asyncio.create_task(watch(self.service, self.looks, 0.001)),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.service.stop()
        self.tasks[1].cancel()
        await asyncio.wait(self.tasks)

    async def sees(self, seen: Seen | Exception | None) -> Mapping[str, Condition]:
        self.looks.seen = seen
        await self.looks.once_more()
        return conditions(self.live)


def test_the_watch_marks_what_it_sees_and_takes_its_marks_away() -> None:
    async def story() -> None:
        async with Watched() as watched:
            assert await watched.sees({"gpu-0": TAKEN, "gpu-1": DRAINED}) == {
                "gpu-0": Condition.TAKEN, "gpu-1": Condition.DRAINED,
            }  # fmt: skip
            assert watched.looks.given.taken == {"gpu-0"}
            assert await watched.sees(None) == {"gpu-0": Condition.TAKEN, "gpu-1": Condition.DRAINED}
            assert await watched.sees({"gpu-0": DOWN}) == {"gpu-0": Condition.FAILED}
            assert await watched.sees({}) == {}

    asyncio.run(story())


def test_a_look_that_fails_is_followed_by_another() -> None:
    async def story() -> None:
        async with Watched() as watched:
            assert await watched.sees(KeyError("a defect")) == {}
            assert await watched.sees({"gpu-0": DOWN}) == {"gpu-0": Condition.FAILED}

    asyncio.run(story())


def test_what_could_not_be_recorded_is_marked_as_soon_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(store: MemoryStore, entries: Entries) -> None:
        raise StoreUnavailable("the disk is full")

    async def story() -> None:
        async with Watched() as watched:
            with monkeypatch.context() as patch:
                patch.setattr(MemoryStore, "record", refuse)
                assert await watched.sees({"gpu-0": DOWN}) == {}
            assert await watched.sees({"gpu-0": DOWN}) == {"gpu-0": Condition.FAILED}

    asyncio.run(story())
