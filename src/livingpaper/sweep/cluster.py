"""A sweep's batches on the workers of a Dask cluster: the same tables, computed elsewhere."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livingpaper.errors import PaperError
from livingpaper.sweep import closure, environment, imported
from livingpaper.sweep.store import digest

if TYPE_CHECKING:
    from distributed import Client

VARIABLE = "DASK_SCHEDULER_ADDRESS"  # Dask's own name for it
REMEDY = "run `pip install -r requirements.txt`"
PATIENCE = 10  # seconds to wait for an answer from the scheduler


def address(given: str | None) -> str | None:
    """The scheduler to use: the given one, else that of the environment, else none."""
    return given or os.environ.get(VARIABLE) or None


@contextmanager
def local(workers: int) -> Iterator[str]:
    """The address of a scheduler with that many workers on this machine, one thread each, as long as it is needed.

    Raises:
        PaperError: the package that does it is not installed.
    """
    try:
        from distributed import LocalCluster
    except ImportError:
        raise PaperError(f"{workers} workers need the package distributed: {REMEDY}") from None
    # without Dask's own page, and without its word on each worker that comes and goes
    options = dict(threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=logging.ERROR)
    with LocalCluster(n_workers=workers, **options) as cluster:
        yield cluster.scheduler_address


def compute(
    scheduler: str, work: Any, parts: dict, batches: Iterable[Sequence[Any]], beside: Iterable[Path] = ()
) -> Iterator[tuple[Sequence[Any], Any]]:
    """Each batch with ``work(batch)``, as the workers finish them.

    A worker that dies costs the batches that it was computing: the scheduler gives them to another. When the client
    goes, what was not finished is dropped. The files ``beside`` are sent ahead, for an experiment of one's own.

    Raises:
        PaperError: no scheduler at the address, or a worker whose code or software differs from ``parts``.
    """
    from distributed import as_completed

    with _client(scheduler) as client:
        for file in beside:
            client.upload_file(str(file), load=False)
        futures = {}
        for batch in batches:
            # A task's name is its content: a batch that another client is waiting for is not computed twice.
            key = f"sweep-{digest([parts, work.device, *map(asdict, batch)])}"
            futures[client.submit(_checked, work, batch, parts, key=key)] = batch
        for future in as_completed(futures, loop=client.loop):
            yield futures[future], future.result()


def _checked(work: Any, batch: Sequence[Any], parts: dict) -> Any:
    """``work(batch)``, on a worker that has the client's code and numerical software."""
    packages = {name.partition("/")[0].removesuffix(".py") for name in parts["modules"]}
    modules = closure.of_modules([work.experiment.__module__], packages)
    here = {"modules": modules, "versions": environment.versions()}
    differing = [
        name
        for what, found in here.items()
        for name in {*found, *parts[what]}
        if found.get(name) != parts[what].get(name)
    ]
    differing += imported.differing(here["modules"])  # a worker may be older than an edit
    if differing:
        raise PaperError(
            f"a worker differs from the client in {', '.join(sorted(differing))}: install the same version of the "
            "package and of the lock on both, and restart the worker"
        )
    return work(batch)


@contextmanager
def _client(scheduler: str) -> "Iterator[Client]":
    try:
        from distributed import Client
    except ImportError:
        raise PaperError(f"a sweep on {scheduler} needs the package distributed: {REMEDY}") from None
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise PaperError(
            f"no Dask scheduler answers at {scheduler!r} ({error}): start one with `dask scheduler`, "
            f"or name none, neither with --scheduler nor in {VARIABLE}"
        ) from None
    with client:
        yield client
