"""Runs chapters side by side, each in a process of its own, with a time limit and a log."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from jupyter_core.paths import jupyter_runtime_dir

from livingpaper.build.processes import kill_tree
from livingpaper.files import project_root
from livingpaper.sweep import environment
from livingpaper.sweep.progress import VARIABLE

#: One thread a process: two workers with two threads each, on two cores, run ten times slower than with one.
SINGLE_THREADED = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
#: cuBLAS is deterministic only with a workspace of fixed size.
DETERMINISTIC = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "PYTHONHASHSEED": "0"}
#: How the variables begin by which a person or a machine sets up Python, Jupyter, IPython, matplotlib, numba, and
#: language and time zone: no chapter gets them, for two people must get the same numbers and pictures ...
PERSONAL = ("PYTHON", "JUPYTER", "JPY_", "IPYTHON", "IPYKERNEL", "MPL", "MATPLOTLIB", "NUMBA", "LC_", "LANG", "TZ")
#: ... but those by which Python finds itself, its modules and its byte code.
KEPT = ("PYTHONPATH", "PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
#: No folder of modules that only this person has, or that is the one where somebody stands.
FIXED = {"PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@dataclass
class Job:
    """A chapter to execute, and afterwards how that went."""

    chapter: str
    notebook: nbformat.NotebookNode  #: as it was when the plan was made, not as an author may edit it meanwhile
    parameters: dict[str, object]
    where: Path  #: the working folder of its code
    folder: Path  #: for the output, the log and what the worker reports
    label: str = ""  #: what it is called where it is watched; the chapter, unless that is executed several times
    started: float | None = None
    seconds: float | None = None
    failure: str | None = None
    process: subprocess.Popen | None = field(default=None, repr=False)

    def __post_init__(self):
        self.label = self.label or self.chapter

    def file(self, suffix: str) -> Path:
        """A file of this job, e.g. its ``log`` or its ``ipynb``."""
        return self.folder / f"{self.chapter}.{suffix}"

    @property
    def output(self) -> Path:
        """The executed notebook, there once every cell ran."""
        return self.file("ipynb")

    def progress(self) -> tuple[str, float]:
        """How far the chapter is, in words and as a fraction."""
        if self.seconds is not None and not self.failure:
            return f"done in {self.seconds:.1f} s", 1.0
        status, sweep = _read(self.file("status")), _read(self.file("progress"))
        words, done = (_cell(status), status["number"] - 1.0) if status else ("starting", 0.0)
        if sweep and sweep["done"] < sweep["total"]:
            words += f", {sweep['label']} {sweep['done']}/{sweep['total']}"
            done += sweep["done"] / sweep["total"]
        return f"failed after {self.seconds:.1f} s" if self.failure else words, done / status.get("of", 1)

    def sweeps(self) -> list[dict]:
        """What each finished sweep of the chapter was: how many trainings, how many of them new, their seconds."""
        path = self.file("progress.sweeps")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(
    jobs: Sequence[Job], parallel: int, time_limit: float, cache: Path, watch: Callable[[Sequence[Job]], None]
) -> None:
    """Execute the jobs, at most ``parallel`` at a time; ``watch`` is called several times a second.

    A chapter that fails or takes longer than ``time_limit`` seconds does not stop the others; its job says why it
    failed. Leaving by an exception (Ctrl-C is one) kills what still runs.
    """
    waiting, running = list(jobs), []
    try:
        while waiting or running:
            while waiting and len(running) < parallel:
                running.append(_start(waiting.pop(0), cache))
            watch(jobs)
            time.sleep(0.1)
            for job in list(running):
                if job.process.poll() is not None:
                    _finish(job)
                    running.remove(job)
                elif time.monotonic() - job.started > time_limit:
                    _kill(job)
                    job.failure = (
                        f"stopped after the time limit of {time_limit:g} s, in {job.progress()[0]}: allow more with "
                        "--time-limit; finished trainings are kept"
                    )
                    job.seconds = time.monotonic() - job.started
                    running.remove(job)
        watch(jobs)
    finally:
        for job in running:
            _kill(job)


def _start(job: Job, cache: Path) -> Job:
    job.folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("ipynb", "partial.ipynb", "status", "progress", "progress.sweeps", "failure", "used"):
        job.file(suffix).unlink(missing_ok=True)
    source = job.file("source.ipynb")
    source.write_text(nbformat.writes(job.notebook), encoding="utf-8")
    description = {"source": str(source), "output": str(job.output), "folder": str(job.where)}
    description |= {name: str(job.file(name)) for name in ("status", "failure", "used")}
    description |= {"root": str(project_root(job.where) or job.where)}
    description |= {"parameters": job.parameters, "parent": os.getpid()}
    description |= {"versions": environment.versions(environment.KEYED)}
    job.file("job").write_text(json.dumps(description))
    variables = _variables(job.file("home"), cache)
    variables |= {VARIABLE: str(job.file("progress")), "LIVINGPAPER_CACHE_DIR": str(cache)}
    with job.file("log").open("wb") as log:
        job.process = subprocess.Popen(
            [sys.executable, "-m", "livingpaper.build.worker", str(job.file("job"))],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env=variables, start_new_session=True,
        )  # fmt: skip
    job.started = time.monotonic()
    return job


def _variables(home: Path, cache: Path) -> dict[str, str]:
    """The variables of a process that computes: nobody's configuration reaches it, for ``home`` is made for it anew.

    What matplotlib knows of the machine's fonts is kept in the cache, since to find out takes seconds.
    """
    shutil.rmtree(home, ignore_errors=True)
    places = {"IPYTHONDIR": "ipython", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data"}
    places |= {"MATPLOTLIBRC": "matplotlibrc"}
    for name in places.values():
        (home / name).mkdir(parents=True)
    defaults = home / places["MATPLOTLIBRC"] / "matplotlibrc"
    defaults.touch()  # without a line: everything is as matplotlib has it
    passed = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(PERSONAL)}
    given = {variable: str(home / name) for variable, name in places.items()}
    given["JUPYTER_RUNTIME_DIR"] = jupyter_runtime_dir()  # nothing is read there; its files need rights of their own
    return passed | given | {"MPLCONFIGDIR": str(cache / "matplotlib")} | FIXED | SINGLE_THREADED | DETERMINISTIC


def _finish(job: Job) -> None:
    job.seconds = time.monotonic() - job.started
    if job.process.returncode == 0 and job.output.exists():
        return
    if told := _read(job.file("failure")):
        job.failure = f"{_cell(told)} failed: {told['error']}"
    else:
        last = job.file("log").read_text(errors="replace").strip().splitlines()[-1:] or ["it printed nothing"]
        job.failure = f"the process ended with status {job.process.returncode}: {last[0]}"


def _kill(job: Job) -> None:
    kill_tree(job.process.pid)
    job.process.wait()


def _cell(status: dict) -> str:
    return f"cell {status['cell']} ({status['number']} of {status['of']})"


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
