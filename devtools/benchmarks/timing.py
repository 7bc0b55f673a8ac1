"""Timing of several variants of a job, in turns."""

import gc
import statistics
import time


class Stopwatch:
    """Sums the seconds that all ``with stopwatch:`` blocks take."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self):
        self._start = time.perf_counter()

    def __exit__(self, *exc_info):
        self.seconds += time.perf_counter() - self._start


def in_turns(variants, rounds, warm_up=0):
    """Time each variant once per round, so that other load of the machine affects all of them.

    :param dict variants: functions by name. Each gets a :class:`Stopwatch`, prepares the data, and
        times its job. It finds what the previous variant left, so it must restore the data
    :param int rounds: number of rounds that count
    :param int warm_up: number of rounds before them that do not count
    :return: the seconds of each variant, one for each round
    :rtype: dict[str, list[float]]
    """
    seconds = {name: [] for name in variants}
    # No variant pays for the garbage of earlier code.
    gc.collect()
    gc.freeze()
    try:
        for number in range(-warm_up, rounds):
            # The order alternates.
            for name in list(variants) if number % 2 else reversed(variants):
                gc.collect()
                stopwatch = Stopwatch()
                variants[name](stopwatch)
                if number >= 0:
                    seconds[name].append(stopwatch.seconds)
    finally:
        gc.unfreeze()
    return seconds


def median(values):
    """Return the median of some seconds."""
    return statistics.median(values)
