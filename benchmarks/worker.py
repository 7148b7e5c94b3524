"""The process at the other end of ``harness.Peer`` and ``harness.peak_memory``: standard library only.

    python worker.py serve MODULE:FUNCTION ARGUMENTS
    python worker.py memory MODULE:FUNCTION ARGUMENTS

ARGUMENTS is a JSON object. The function prepares everything and returns the work, a function without arguments, whose
result is a JSON value, or a function that gives one and is called when the clock has stopped.
``serve`` does the work once for every line of standard input and answers each with its seconds and its result.
``memory`` prepares and works once, and says by how much the process, at its largest, exceeded its size before.
"""

import importlib
import json
import os
import re
import resource
import sys
import time
from pathlib import Path


def main(mode: str, target: str, arguments: str) -> None:
    # What libraries print goes to standard error, and only our lines to whoever started us.
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    module, function = target.split(":")
    prepare = getattr(importlib.import_module(module), function)
    answers = {"serve": serve, "memory": memory}[mode](prepare, json.loads(arguments))
    for answer in answers:
        print(json.dumps(answer), file=channel)


def serve(prepare, arguments):
    """Yield once when all is prepared, then once a repetition."""
    work = prepare(**arguments)
    yield {"ready": True}
    for _ in sys.stdin:
        start = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - start
        yield {"seconds": seconds, "result": result() if callable(result) else result}


def memory(prepare, arguments):
    """Yield the bytes of resident memory that the work, its preparation included, needed beyond the imports."""
    before = resident()
    work = prepare(**arguments)
    work()
    yield {"bytes": peak_resident() - before}


def resident() -> int:
    """The bytes of memory that this process holds now, at least; where only a peak is known, the peak so far."""
    return _status("VmRSS") or _largest()


def peak_resident() -> int:
    """The largest number of bytes of memory that this process has ever held; Linux counts to about a megabyte."""
    # On Linux not getrusage: a process inherits its ru_maxrss from the one that started it, however large that was.
    return _status("VmHWM") or _largest()


def _status(name: str) -> int | None:
    status = Path("/proc/self/status")
    found = re.search(rf"^{name}:\s*(\d+) kB", status.read_text(), re.MULTILINE) if status.exists() else None
    return found and 1024 * int(found[1])


def _largest() -> int:
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest


if __name__ == "__main__":
    main(*sys.argv[1:])
