"""Child processes that never outlive what they work for, whichever way it ends."""

import os
import threading
import time
from contextlib import suppress

import psutil


def kill_tree(pid: int) -> None:
    """Kill a process and everything it started, also what has a session of its own, as a kernel has."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        if pid != os.getpid():
            root.suspend()  # so that it starts nothing while its children are counted
        for process in [*root.children(recursive=True), root]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def end_with(parent: int) -> None:
    """From now on, kill this process and everything it started when ``parent`` is gone, even by kill -9."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        kill_tree(os.getpid())

    threading.Thread(target=watch, daemon=True).start()
