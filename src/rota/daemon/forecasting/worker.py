"""`python -m rota.daemon.forecasting.worker`: one process that learns and forecasts, until the daemon is gone.

Orders come on stdin, answers go to stdout. A thread reads: when the daemon ends, in whatever way, the pipe does, and
the process with it, also in the middle of a forecast.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from queue import SimpleQueue
from typing import BinaryIO

from rota.daemon.forecasting.learner import Learner
from rota.daemon.forecasting.orders import LENGTH, Answer, Order, packed


def main() -> None:
    """Answer one order after the other. The first argument is how nice to be to the laboratory's jobs."""
    os.nice(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the daemon's terminal is for the daemon
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not speak into the pipe
    orders: SimpleQueue[Order] = SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, orders), daemon=True).start()
    learner = Learner()
    while True:
        try:
            answers.write(packed(_answer(orders.get(), learner)))
            answers.flush()
        except BrokenPipeError:
            os._exit(0)  # the daemon is gone


def _read(pipe: BinaryIO, orders: SimpleQueue[Order]) -> None:
    try:
        while len(head := pipe.read(LENGTH.size)) == LENGTH.size:
            orders.put(pickle.loads(pipe.read(*LENGTH.unpack(head))))
    finally:
        os._exit(0)


def _answer(order: Order, learner: Learner) -> Answer:
    try:
        return Answer(learner.answer(order))
    except Exception as failed:  # a defect in a forecast is told, and the next order is taken
        return Answer({}, f"{type(failed).__name__}: {failed}")


if __name__ == "__main__":
    main()
