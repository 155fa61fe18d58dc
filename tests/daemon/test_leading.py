"""A daemon that no longer leads: it says nothing more to its engine, and whoever asks is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from rota.daemon import leading
from rota.daemon.commands import Hold
from rota.daemon.core import Core
from rota.daemon.laboratory import Grace, Laboratory
from rota.daemon.leading import keep_leading
from rota.daemon.service import Service
from rota.engines.contract import Ended, EndOrder, EngineEvent, StartOrder
from rota.errors import NotLeader, StoreUnavailable
from rota.policy.values import Rules
from rota.store.contract import Entries
from rota.store.memory import MemoryStore
from tests.builders import a_fleet
from tests.daemon.live import NOW, ROOT, Live, a_live

OTHER = NotLeader("Another Rota has taken over (host head2, process 7).")


class SharedStore(MemoryStore):
    """The lead is lost after so many looks at it."""

    looks_left = 10**9
    is_lost = False
    is_away = False

    def assure_leading(self) -> None:
        if self.is_away:
            raise StoreUnavailable("The database does not answer.")
        if self.is_lost or self.looks_left == 0:
            raise OTHER
        self.looks_left -= 1

    def record(self, entries: Entries) -> None:
        if self.is_lost:
            raise OTHER
        super().record(entries)


@dataclass
class ListeningEngine:
    """Writes down what it is told."""

    told: list[str] = field(default_factory=list)
    news: list[EngineEvent] = field(default_factory=list)

    def start(self, order: StartOrder) -> None:
        self.told.append(f"start {order.turn}")

    def end(self, order: EndOrder) -> None:
        self.told.append(f"end {order.turn}")

    def adopt(self, order: StartOrder, was_started: bool) -> None:
        self.told.append(f"adopt {order.turn}")

    def trouble(self) -> str:
        return ""

    def events(self) -> Sequence[EngineEvent]:
        happened, self.news = self.news, []
        return happened


@pytest.fixture
def store() -> SharedStore:
    return SharedStore()


@pytest.fixture
def engine() -> ListeningEngine:
    return ListeningEngine()


@pytest.fixture
def live(store: SharedStore, engine: ListeningEngine) -> Live:
    """Two GPUs, a daemon that leads."""
    made = a_live()
    made.laboratory = Laboratory(a_fleet(lab=("h100", 2)), store, Rules(quantum_s=100.0), Grace(4.0, 30.0))
    made.core = Core(made.laboratory, engine)
    made.core.recover(NOW)
    return made


def test_a_turn_is_not_begun_when_the_lead_was_lost_after_it_was_recorded(
    live: Live, store: SharedStore, engine: ListeningEngine
) -> None:
    live.submit()
    store.looks_left = 1  # the one at the beginning of the step
    with pytest.raises(NotLeader):
        live.core.advance(live.at)
    assert [turn.id for turn in store.remember().turns] == ["1.1"]  # whoever leads now begins it
    assert engine.told == []


def test_who_wakes_in_the_midst_of_telling_says_at_most_one_word_more(
    live: Live, store: SharedStore, engine: ListeningEngine
) -> None:
    live.submit()
    live.submit()
    store.looks_left = 2
    with pytest.raises(NotLeader):
        live.core.advance(live.at)
    assert engine.told == ["start 1.1"]


def test_a_turn_is_not_ended_by_who_no_longer_leads(live: Live, store: SharedStore, engine: ListeningEngine) -> None:
    live.submit()
    live.core.advance(live.at)
    live.core.hear([Hold(ROOT, 1)], live.at)
    store.looks_left = 1
    with pytest.raises(NotLeader):
        live.core.advance(live.at)
    assert engine.told == ["start 1.1"]


def test_news_is_not_even_asked_for_by_who_no_longer_leads(
    live: Live, store: SharedStore, engine: ListeningEngine
) -> None:
    live.submit()
    live.core.advance(live.at)
    engine.news.append(Ended("1.1", live.at, 0.0, is_lost=True))
    store.looks_left = 0
    with pytest.raises(NotLeader):
        live.core.advance(live.at)
    assert len(engine.news) == 1


def test_a_database_that_is_away_keeps_orders_back_until_it_answers(
    live: Live, store: SharedStore, engine: ListeningEngine
) -> None:
    live.submit()
    store.is_away = True
    assert live.core.advance(live.at) == live.at + 2
    assert engine.told == []
    assert live.core.trouble == {"store": "The database does not answer."}
    store.is_away = False
    live.core.advance(live.at)
    assert engine.told == ["start 1.1"]
    assert live.core.trouble == {}


def test_who_asks_a_daemon_that_no_longer_leads_is_told_so(live: Live, store: SharedStore) -> None:
    async def ask() -> None:
        service = Service(live.core, lambda: live.at)
        work = asyncio.create_task(service.run())
        live.submit()
        store.is_lost = True
        with pytest.raises(NotLeader, match="head2"):
            await service.ask(Hold(ROOT, 1))
        with pytest.raises(NotLeader):
            await work
        with pytest.raises(NotLeader):  # and nobody waits for an answer that never comes
            await service.ask(Hold(ROOT, 1))

    asyncio.run(ask())


def test_a_daemon_at_rest_hears_within_seconds_that_another_leads(
    live: Live, store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "BEAT_S", 0.01)

    async def rest() -> None:
        service = Service(live.core, lambda: live.at)
        work, beat = asyncio.create_task(service.run()), asyncio.create_task(keep_leading(service))
        await asyncio.sleep(0)  # its first step
        store.is_lost = True
        with pytest.raises(NotLeader):
            await work
        await beat

    asyncio.run(asyncio.wait_for(rest(), 10))


def test_a_daemon_at_rest_says_while_its_database_is_away(
    live: Live, store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "BEAT_S", 0.01)

    async def rest() -> None:
        beat = asyncio.create_task(keep_leading(Service(live.core, lambda: live.at)))
        store.is_away = True
        while live.core.trouble != {"store": "The database does not answer."}:
            await asyncio.sleep(0)
        store.is_away = False
        while live.core.trouble:
            await asyncio.sleep(0)
        beat.cancel()

    asyncio.run(asyncio.wait_for(rest(), 10))
