"""Measuring several ways of doing the same, in turns."""

import gc
import statistics
import time


class Stopwatch:
    """Seconds that pass in ``with stopwatch:``, summed over all such blocks."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self):
        self._start = time.perf_counter()

    def __exit__(self, *exc_info):
        self.seconds += time.perf_counter() - self._start


def in_turns(ways, rounds, warm_up=0):
    """Measure several ways, one after the other in each round, so that what the machine does
    besides meets all of them.

    :param dict ways: functions by name; each is given a :class:`Stopwatch`, prepares, and lets it
        run over what is measured. They find what the others left, so each restores the state
    :param int rounds: how many rounds count
    :param int warm_up: rounds before them that do not
    :return: the seconds of each way, one for each round
    :rtype: dict
    """
    seconds = {name: [] for name in ways}
    # Nobody pays for what was thrown away before.
    gc.collect()
    gc.freeze()
    try:
        for number in range(-warm_up, rounds):
            # Nobody always comes after the same one.
            for name in list(ways) if number % 2 else reversed(ways):
                gc.collect()
                stopwatch = Stopwatch()
                ways[name](stopwatch)
                if number >= 0:
                    seconds[name].append(stopwatch.seconds)
    finally:
        gc.unfreeze()
    return seconds


def median(values):
    """The middle one of some seconds."""
    return statistics.median(values)
