"""Work in processes of its own, and how far it has come for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

#: One for each core of a small machine; a replay is one thread.
WORKERS = 2


def in_workers(
    work: Callable[[Task], Result], tasks: Sequence[Task], label: str, *, workers: int = WORKERS, is_fresh: bool = False
) -> Iterator[Result]:
    """Results in the order of the tasks. With `is_fresh`, each task has a process that has done nothing before."""
    limit = 1 if is_fresh else None
    with ProcessPoolExecutor(workers, get_context("spawn"), max_tasks_per_child=limit) as pool:
        futures = [pool.submit(work, task) for task in tasks]
        try:
            for future in futures:
                _tell_until(future, futures, label)
                yield future.result()
        finally:
            clear()
            pool.shutdown(wait=False, cancel_futures=True)


def _tell_until(awaited: Future[Result], futures: Sequence[Future[Result]], label: str) -> None:
    pending = {future for future in futures if not future.done()}
    while not awaited.done():
        tell(f"{label}: {len(futures) - len(pending)} of {len(futures)}")
        _, pending = wait(pending, return_when=FIRST_COMPLETED)
    clear()


def tell(progress: str) -> None:
    """One line that the next one overwrites."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)


def clear() -> None:
    """Nothing is told any more."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
