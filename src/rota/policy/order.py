"""Who is served before whom: between projects by share, inside a project between members, inside a member by rank.

Progressive filling: whoever is picked is charged for a quantum at once, in thought, so that GPUs that become free
together do not all go to the same member (max-min fairness, as in Dominant Resource Fairness, NSDI 2011, section 4).

1. A member who has nothing running and has waited for two quanta goes first, with one job that fits on one node: a
   third at most passes until a turn may be ended for it. Any sooner, and a project of many members would have more than
   its share. Before them comes one overdue gang that fits on no node, as often as `_Filling._may_go_first` says.
2. Then the project that has received least for its weight. A deadline lets a project have some of its own share
   early; what it got counts as received, so it pays afterwards.
3. In it the member who has received least; of theirs the job whose rank comes first.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import NamedTuple, Protocol

from rota.domain.jobs import Job
from rota.policy.line import Candidate, Key
from rota.policy.standing import Running, Standing
from rota.policy.values import Account

#: After so many quanta a member with nothing running goes first.
IDLE_QUANTA = 2


class Contender(NamedTuple):
    """A turn past its quantum: it goes on only while nobody who comes before it needs its GPUs."""

    running: Running
    key: Key

    @property
    def job(self) -> Job:
        return self.running.job


Served = Candidate | Contender


class Order(Protocol):
    """Everybody who may be served, in the order in which they would be."""

    goes_first: bool  #: whether the one served last comes before all, whatever their shares (1 in the list above)

    def __iter__(self) -> Iterator[Served]: ...

    def comes_after(self, running: Running, candidate: Candidate) -> bool:
        """Whether a turn inside its quantum will, at its end, come after the candidate that was served last."""
        ...


def in_order(standing: Standing, contenders: Iterable[Contender], at: float) -> Order:
    """Who is served before whom, at this moment."""
    if len(standing.lines) == 1:
        account = next(iter(standing.lines))
        return _OneAccount(standing, _own_order(standing, account, list(contenders), wants_tail=False))
    by_account: dict[Account, list[Contender]] = {}
    for contender in contenders:
        by_account.setdefault((contender.job.project, contender.job.member), []).append(contender)
    queues = {
        account: _own_order(standing, account, by_account.get(account, []))
        for account in sorted(by_account.keys() | {account for account, line in standing.lines.items() if line})
    }
    if len(queues) == 1:
        return _OneAccount(standing, next(iter(queues.values())))
    return _Filling(standing, queues, at)


def lowest_first(standing: Standing, contenders: list[Contender], at: float) -> list[Contender]:
    """The contenders, the one that should be stopped first at the front."""
    if len(standing.lines) == 1 or len({(one.job.project, one.job.member) for one in contenders}) < 2:
        return sorted(contenders, key=_key, reverse=True)
    by_account: dict[Account, list[Contender]] = {}
    for contender in sorted(contenders, key=_key):
        by_account.setdefault((contender.job.project, contender.job.member), []).append(contender)
    queues: dict[Account, Iterator[Served]] = {account: iter(by_account[account]) for account in sorted(by_account)}
    served = _Filling(standing, queues, at)
    return [contender for contender in served if isinstance(contender, Contender)][::-1]


def _own_order(
    standing: Standing, account: Account, contenders: list[Contender], wants_tail: bool = True
) -> Iterator[Served]:
    """One account's candidates."""
    line = standing.lines.get(account)
    waiting: Iterator[Candidate] = line.in_order() if line else iter(())
    return merged(waiting, sorted(contenders, key=_key), wants_tail) if contenders else waiting


_key = attrgetter("key")


def merged(waiting: Iterable[Candidate], contenders: list[Contender], wants_tail: bool = True) -> Iterator[Served]:
    """Both in the order of their keys (heapq.merge does the same, at three times the cost).

    Without the tail: contenders after the last who waits go on, and nobody needs to be told.
    """
    position, count = 0, len(contenders)
    for candidate in waiting:
        while position < count and contenders[position].key < candidate.key:
            yield contenders[position]
            position += 1
        yield candidate
    if wants_tail:
        yield from contenders[position:]


def _is_behind(standing: Standing, running: Running, candidate: Candidate) -> bool:
    """Of the same account: by key, as it will be when the turn's quantum is over."""
    return standing.key_of(running, running.turn.guaranteed_until) > candidate.key


def fits_a_node(standing: Standing, job: Job) -> bool:
    """Whether some node has enough GPUs for it, as long as all are in service."""
    largest = standing.bays.in_service
    return any(job.request.gpus <= largest.get(tier, 0) for tier in job.request.tiers or standing.tiers)


class _OneAccount:
    """With one account there is nothing to share."""

    goes_first = False

    def __init__(self, standing: Standing, queue: Iterator[Served]) -> None:
        self._standing, self._queue = standing, queue

    def __iter__(self) -> Iterator[Served]:
        return self._queue

    def comes_after(self, running: Running, candidate: Candidate) -> bool:
        return _is_behind(self._standing, running, candidate)


class _Filling:
    """Usage by project and member, growing as candidates are picked."""

    def __init__(self, standing: Standing, queues: dict[Account, Iterator[Served]], at: float) -> None:
        self._standing, self._at = standing, at
        self._rules = standing.rules
        self._queues = queues
        self.goes_first = False
        self._project: defaultdict[str, float] = defaultdict(float, standing.project_usage_gpu_s)
        self._member: defaultdict[Account, float] = defaultdict(float, standing.member_usage_gpu_s)
        for running in standing.running.values():  # what a turn is still guaranteed is as good as received
            if running.turn.id not in standing.open and running.turn.id not in standing.ending:
                left_s = max(running.turn.guaranteed_until - at, 0.0)
                self._charge(running.job, len(running.turn.gpus), left_s, running.turn.tier)

    def __iter__(self) -> Iterator[Served]:
        heads: dict[Account, Served] = {}
        for account, queue in self._queues.items():
            head = next(queue, None)
            if head is not None:
                heads[account] = head
        self.goes_first = True
        gangs = [account for account, head in heads.items() if self._may_go_first(account, head)]
        if gangs:
            yield self._pick(min(gangs, key=lambda account: heads[account].key), heads)
        for account, candidate in self._idle_members(heads):
            yield self._pick(account, heads) if heads[account] is candidate else self._pick_out(account, candidate)
        self.goes_first = False
        members: dict[str, list[tuple[float, Account]]] = {}
        for account in heads:
            members.setdefault(account[0], []).append((self._member[account], account))
        projects = [(self._level(project), project) for project in members]
        heapq.heapify(projects)
        for heap in members.values():
            heapq.heapify(heap)
        while projects:
            _, project = heapq.heappop(projects)
            _, account = heapq.heappop(members[project])
            yield self._pick(account, heads)
            if account in heads:
                heapq.heappush(members[project], (self._member[account], account))
            if members[project]:
                heapq.heappush(projects, (self._level(project), project))

    def comes_after(self, running: Running, candidate: Candidate) -> bool:
        mine, theirs = candidate.job, running.job
        if (mine.project, mine.member) == (theirs.project, theirs.member):
            return _is_behind(self._standing, running, candidate)
        if self.goes_first:
            return True
        charged = self._cost_gpu_s(mine, mine.request.gpus, self._rules.quantum_s)  # it was picked just now
        if mine.project == theirs.project:
            members = self._member
            return members[theirs.project, theirs.member] > members[mine.project, mine.member] - charged
        return self._level(theirs.project) > self._level(mine.project) - charged / self._weight(mine.project)

    def _may_go_first(self, account: Account, head: Served) -> bool:
        """Whether an overdue gang comes before everybody, those with nothing running included.

        It fits on no node, and there is always somebody who needs one of the nodes. It may when its account, with this
        turn, has had no more than its part, and one turn more each time that its patience is over again: so it waits
        not for ever, and a flood of gangs takes one turn in that time beyond its share. It is the account that counts:
        what others of its project have had, with or without right, is not its doing.
        """
        if not isinstance(head, Candidate) or head.key[0] > 0 or fits_a_node(self._standing, head.job):
            return False
        job, rules = head.job, self._rules
        turns = 1.0 + (self._at - head.dues[0]) / rules.patience_s
        members = Counter(project for project, _ in self._member)
        part = self._weight(job.project) / sum(map(self._weight, members)) / members[job.project]
        ahead_gpu_s = self._member[account] - part * sum(self._member.values())
        return ahead_gpu_s <= turns * self._cost_gpu_s(job, job.request.gpus, rules.quantum_s)

    def _idle_members(self, heads: Mapping[Account, Served]) -> list[tuple[Account, Candidate]]:
        """Jobs of members with nothing running that have waited long enough, the longest wait first."""
        standing, since = self._standing, []
        for account in heads:
            if not standing.held_by[account[1]]:
                waits_since = standing.lines[account].waits_since()
                since.append((max(waits_since, standing.served_until.get(account[1], waits_since)), account))
        patience_s = IDLE_QUANTA * self._rules.quantum_s
        first: dict[str, tuple[Account, Candidate]] = {}  # one job a member, whatever number of projects they have
        for _, account in sorted(entry for entry in since if self._at - entry[0] >= patience_s):
            job = next((one for one in standing.lines[account].in_order() if fits_a_node(standing, one.job)), None)
            if job is not None:
                first.setdefault(account[1], (account, job))
        return list(first.values())

    def _pick(self, account: Account, heads: dict[Account, Served]) -> Served:
        """The head of an account; the next one takes its place."""
        picked = heads.pop(account)
        self._charge(picked.job, picked.job.request.gpus, self._rules.quantum_s)
        following = next(self._queues[account], None)
        if following is not None:
            heads[account] = following
        return picked

    def _pick_out(self, account: Account, candidate: Candidate) -> Served:
        """One from further behind in an account."""
        self._queues[account] = (one for one in self._queues[account] if one is not candidate)
        self._charge(candidate.job, candidate.job.request.gpus, self._rules.quantum_s)
        return candidate

    def _charge(self, job: Job, gpus: int, seconds: float, tier: str | None = None) -> None:
        """Count this as received."""
        spent = self._cost_gpu_s(job, gpus, seconds, tier)
        self._project[job.project] += spent
        self._member[job.project, job.member] += spent

    def _cost_gpu_s(self, job: Job, gpus: int, seconds: float, tier: str | None = None) -> float:
        weights = self._rules.tier_weights
        return gpus * seconds * (_tier_weight(weights, (tier,) if tier else job.request.tiers) if weights else 1.0)

    def _level(self, project: str) -> float:
        """GPU-seconds received for each unit of weight, less what may be had early."""
        early = self._standing.advances_gpu_s.get(project, 0.0)
        return (self._project[project] - early) / self._weight(project)

    def _weight(self, project: str) -> float:
        return self._rules.project_weights.get(project, 1.0)


def _tier_weight(weights: Mapping[str, float], tiers: Iterable[str | None]) -> float:
    return min((weights.get(tier, 1.0) for tier in tiers if tier), default=1.0)
