"""Runs side by side on the threads of this machine, one thread a run, whose numbers are then the same on any number."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import torch
from threadpoolctl import ThreadpoolController


def side_by_side(work: Callable[[Any], None], items: Iterable[Any]) -> None:
    """Call ``work`` for each item, as many at a time as PyTorch was given threads.

    Sums are split between the threads of a library, so their last bits depend on how many there are. Here a library
    has one, until all is done. The first exception is raised, and what has not begun then is left.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _blas().limit(limits=1):
            if threads == 1:
                for item in items:
                    work(item)
                return
            with ThreadPoolExecutor(threads) as pool:
                for _ in pool.map(work, items):
                    pass
    finally:
        torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
