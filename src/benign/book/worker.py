"""Executes one chapter: ``python -m benign.book.worker JOB``, in a process of its own that can be killed.

JOB is a JSON file with the paths ``source``, ``output``, ``status``, ``failure`` and the ``parameters`` to inject.
The output is there only if every cell ran; otherwise ``failure`` says which did not, and why.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import papermill
from papermill.exceptions import PapermillExecutionError
from rich.text import Text

from benign.files import write_atomically


def main(job_path: str) -> int:
    """Execute the chapter that a job file describes; 0 if all its cells ran."""
    job = json.loads(Path(job_path).read_text())
    threading.Thread(target=_die_with_parent, args=(os.getppid(),), daemon=True).start()
    source, output = Path(job["source"]), Path(job["output"])
    total = len(json.loads(source.read_text())["cells"]) + bool(job["parameters"])

    def report(cell, cell_index: int) -> None:
        Path(job["status"]).write_text(json.dumps({"cell": cell_index + 1, "of": total}))
        print(f"--- cell {cell_index + 1} of {total}", flush=True)

    partial = output.with_suffix(".partial.ipynb")
    try:
        papermill.execute_notebook(
            str(source),
            str(partial),
            parameters=job["parameters"],
            kernel_name="python3",
            cwd=str(source.parent),
            progress_bar=False,
            request_save_on_cell_execute=False,
            record_timing=False,
            on_cell_start=report,
        )
    except PapermillExecutionError as error:
        failure = {"cell": error.cell_index, "source": error.source, "error": f"{error.ename}: {error.evalue}"}
        write_atomically(Path(job["failure"]), json.dumps(failure).encode())
        print(Text.from_ansi("\n".join(error.traceback)).plain, flush=True)
        return 1
    os.replace(partial, output)
    return 0


def _die_with_parent(parent: int) -> None:
    """End the whole process group, kernel included, when the build that started it is gone, even by kill -9."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
