"""Side by side in one run: what is compared takes turns, and a ratio is the median of the ratios of the turns.

A benchmark is a file ``row_<number>_<name>.py`` with a function ``measure(options) -> Row`` (see ``row``) and

    if __name__ == "__main__":
        harness.main(measure)

It runs alone, ``python benchmarks/row_1_loop.py [--quick] [--device cuda] [--no-peers]``, or with the others,
``python benchmarks/run.py``. Nothing here limits threads: every side takes the processor's cores as it sees fit.
"""

import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import psutil
import torch
import typer
from row import Row, file_of, folder_of, lines, rounded

from livingpaper.errors import PaperError
from livingpaper.files import sha256, write_atomically
from livingpaper.sweep import closure, environment

HERE = Path(__file__).parent
#: Names an interpreter that has the packages of peers/requirements.txt, in place of the one that `make bench` installs.
PEERS_VARIABLE = "BENIGN_PEERS_PYTHON"
#: Sizes at which a square matrix product runs at the peak, by device.
LARGE = {"cpu": (1024, 2048), "cuda": (4096, 8192)}


@dataclass(frozen=True)
class Options:
    """What a row is asked for: tiny sizes that only show that it runs, the device, a measurement of other libraries."""

    quick: bool = False
    device: str = "cpu"
    peers: bool = True


class Seconds(float):
    """What a candidate that times itself hands back."""


def interleaved(
    candidates: Mapping[str, Callable[[], object]], repetitions: int, warm_up: int = 1
) -> dict[str, list[float]]:
    """The seconds of every repetition of every candidate; the candidates take turns, A B A B ..."""
    seconds = {name: [] for name in candidates}
    for repetition in range(-warm_up, repetitions):
        for name, candidate in candidates.items():
            start = time.perf_counter()
            result = candidate()
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            elapsed = float(result) if isinstance(result, Seconds) else time.perf_counter() - start
            if repetition >= 0:
                seconds[name].append(elapsed)
    return seconds


def matrix_product(dtype: torch.dtype, size: int, device: str = "cpu") -> Callable[[], None]:
    """A candidate: one product of two square matrices, 2 size^3 floating-point operations."""
    a, b = torch.rand((2, size, size), dtype=dtype, generator=torch.Generator().manual_seed(0)).to(device)
    out = torch.empty_like(a)

    def product() -> None:
        torch.mm(a, b, out=out)

    return product


def matmul_peak(
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    repetitions: int = 9,
    sizes: Sequence[int] | None = None,
) -> float:
    """The rate of large matrix products, FLOP/s: the median over repetitions, at the best of the sizes."""
    sizes = sizes or LARGE[device]
    seconds = interleaved({str(size): matrix_product(dtype, size, device) for size in sizes}, repetitions)
    return max(2 * size**3 / median(seconds[str(size)]) for size in sizes)


class Peer:
    """A candidate that runs in another interpreter, kept alive between repetitions; a context manager.

    ``target`` is ``module:function`` in this folder, for instance ``peers.two_layer:prepare``. The function is called
    once with ``arguments`` (plain values; large arrays go through a file, see ``arrays``) and returns the work, which
    is timed over there. ``result`` is what the work returned last, a JSON value.
    """

    def __init__(self, target: str, python: Path | str | None = None, device: str = "cpu", **arguments: Any):
        self.result: Any = None
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [python or peers_python(), HERE / "worker.py", "serve", target, json.dumps(arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=_surroundings(device),
        )  # fmt: skip
        try:
            self._answer()
        except BaseException:
            self.__exit__()
            raise

    def __call__(self) -> Seconds:
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.result = answer["result"]
        return Seconds(answer["seconds"])

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _answer(self) -> dict[str, Any]:
        if line := self._process.stdout.readline():
            return json.loads(line)
        self._process.wait()
        self._log.seek(0)
        raise PaperError(f"the peer stopped:\n{_end(self._log.read().decode(errors='replace'))}")


def peak_memory(target: str, python: Path | str | None = None, device: str = "cpu", **arguments: Any) -> int:
    """The bytes of resident memory that ``target``'s preparation and work need in a fresh process, beyond its imports.

    ``target`` and ``arguments`` are those of ``Peer``; the interpreter is this one unless another is given.
    """
    command = [python or sys.executable, HERE / "worker.py", "memory", target, json.dumps(arguments)]
    run = subprocess.run(command, capture_output=True, text=True, env=_surroundings(device))
    if run.returncode:
        raise PaperError(f"{target} stopped:\n{_end(run.stderr)}")
    return json.loads(run.stdout)["bytes"]


def peers_python() -> Path:
    """The interpreter that has JAX and neural-tangents.

    Raises:
        PaperError: there is none.
    """
    python = Path(os.environ.get(PEERS_VARIABLE) or HERE.parent / ".peers" / "bin" / "python")
    if not python.exists():
        raise PaperError(
            f"{python} is not there: `make bench` installs the peers' environment, {PEERS_VARIABLE} names another "
            "interpreter that has the packages of benchmarks/peers/requirements.txt, and --no-peers does without"
        )
    return python


def machine(device: str = "cpu") -> dict[str, Any]:
    """The hardware and the software that a time can depend on; nothing that tells whose machine it is."""
    return environment.machine() | {
        "memory (GiB)": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": None if device == "cpu" else environment.device_class(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "blas": next((text.strip(" -") for text in torch.__config__.show().splitlines() if "oneAPI" in text), "other"),
    }


def key(script: Path, options: Options) -> str:
    """A digest of all that a row's numbers depend on: its code, ours and others', the machine, the options."""
    others = [file for file in HERE.glob("*.py") if not file.name.startswith(("row_", "run"))]
    code = script.read_text()
    scripts = [file for file in HERE.parent.glob("chapters/live/*.js") if file.name in code]
    files = sorted([script.resolve(), *others, *HERE.glob("peers/*.*"), *scripts])
    texts = {file.name: file.read_text() for file in files}
    package = [closure.of_source(text, {"benign"}) for name, text in texts.items() if name.endswith(".py")]
    parts = [texts, package, environment.versions(), machine(options.device), vars(options)]
    return sha256(json.dumps(parts).encode())


def main(measure: Callable[[Options], Row], dtype: torch.dtype = torch.float32) -> None:
    """The command line of one row: measure, with the matrix-product peak before and after; print; keep the record."""

    def command(
        quick: Annotated[bool, typer.Option("--quick", help="Tiny sizes: only shows that it runs.")] = False,
        device: Annotated[str, typer.Option(help="cpu, or cuda.")] = "cpu",
        peers: Annotated[
            bool, typer.Option(help="Measure against JAX and neural-tangents, where they are used.")
        ] = True,
        folder: Annotated[Path | None, typer.Option(help="The folder for the record.")] = None,
    ) -> None:
        options = Options(quick, device, peers)
        sizes = (128,) if quick else None
        try:
            record = {"machine": machine(device), "options": vars(options)}
            record["key"] = key(Path(inspect.getfile(measure)), options)
            before = matmul_peak(dtype, device, sizes=sizes)
            row = measure(options)
            after = matmul_peak(dtype, device, sizes=sizes)
        except PaperError as error:
            print(f"error: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        peak = {"dtype": str(dtype).removeprefix("torch."), "FLOP/s": [rounded(before), rounded(after)]}
        record = row.record() | {"peak": peak} | record
        file = file_of(row.number, device, folder or folder_of(quick or not peers))
        write_atomically(file, (json.dumps(record, indent=1) + "\n").encode())
        print("\n".join(lines(record)), flush=True)

    typer.run(command)


def _surroundings(device: str) -> dict[str, str]:
    return os.environ | {"JAX_PLATFORMS": device, "TF_CPP_MIN_LOG_LEVEL": "3"}


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-20:])
