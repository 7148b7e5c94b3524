"""Executes one chapter: ``python -m livingpaper.build.worker JOB``, in a process of its own that can be killed.

JOB is a JSON file with the paths ``source``, ``output``, ``status``, ``failure`` and ``used``, the working folder
``folder``, the book's ``root``, the ``parameters`` to inject, the ``versions`` of the software that is recorded and the
process ``parent`` that all this is for. The output is there only if every cell ran; otherwise ``failure`` says which
did not, and why. What the cells print goes to standard output, hence into the log.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError
from rich.text import Text

from livingpaper.build.processes import end_with
from livingpaper.errors import PaperError
from livingpaper.files import write_atomically


def main(job_path: str) -> int:
    """Execute the chapter that a job file describes; 0 if all its cells ran."""
    sys.stdout.reconfigure(errors="backslashreplace")  # what a cell prints need not be Unicode
    job = json.loads(Path(job_path).read_text())
    end_with(job["parent"])
    _Manager.arguments = (job["used"], job["root"])
    total = len(json.loads(Path(job["source"]).read_text())["cells"]) + bool(job["parameters"])
    status = {"cell": "before the first cell", "number": 0, "of": total}

    def report(cell, cell_index: int) -> None:
        if not status["number"]:
            _check(job["versions"], Path(job["used"]))
        status.update(cell=cell.id, number=cell_index + 1)
        write_atomically(Path(job["status"]), json.dumps(status).encode())
        print(f"--- cell {cell.id} ({cell_index + 1} of {total})", flush=True)

    partial = Path(job["output"]).with_suffix(".partial.ipynb")
    try:
        papermill.execute_notebook(
            job["source"],
            str(partial),
            parameters=job["parameters"],
            kernel_name="python3",
            kernel_manager_class=_Manager,
            cwd=job["folder"],
            progress_bar=False,
            request_save_on_cell_execute=False,
            record_timing=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stdout,
            on_cell_start=report,
        )
    except Exception as error:  # whatever it is, it happened in a cell, and who reads of it wants to know in which
        if isinstance(error, PapermillExecutionError):
            told = f"{error.ename}: {error.evalue}"
            print(Text.from_ansi("\n".join(error.traceback)).plain, flush=True)
        else:
            told = f"{type(error).__name__}: {str(error).strip() or 'without a message, look at the end of the log'}"
            traceback.print_exc(file=sys.stdout)
        told = told.encode("utf-8", "backslashreplace").decode()
        write_atomically(Path(job["failure"]), json.dumps(status | {"error": told}).encode())
        return 1
    os.replace(partial, job["output"])
    return 0


class _Manager(AsyncKernelManager):
    """Starts our kernel with the Python that runs here, whatever kernels a person has installed."""

    arguments: tuple[str, str]  #: of its command

    @property
    def kernel_spec(self) -> KernelSpec:
        """How it is started."""
        command = [sys.executable, "-m", "livingpaper.build.kernel", *self.arguments, "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def _check(versions: dict[str, str], report: Path) -> None:
    """Refuse to run with other software than the results would be recorded with, as from a folder of the person's."""
    here = json.loads(report.read_text().splitlines()[0])["versions"]
    if other := [name for name in here.keys() | versions.keys() if here.get(name) != versions.get(name)]:
        name = min(other)
        raise PaperError(
            f"{name} {here.get(name)} would run and {versions.get(name)} be recorded: install what the book needs "
            f"where {sys.executable} finds it without the packages of one person (pip without --user)"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
