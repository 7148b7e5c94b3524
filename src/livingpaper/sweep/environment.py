"""The parts of the machine and of the installed software that a number can depend on."""

import os
import platform
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from livingpaper.errors import PaperError

#: What computes the numbers, where it is installed. Versions are those installed, not those in the lock: an environment
#: that differs from the lock must never be served the lock's results, and a newer Sphinx must not retrain.
NUMERICAL = ("torch", "jax", "numba", "llvmlite", "numpy", "scipy", "scikit-learn", "pandas")
#: What can change a chapter, beside the press: those, and what draws its pictures.
KEYED = (*NUMERICAL, "matplotlib", "seaborn")


def versions(packages: Iterable[str] = NUMERICAL) -> dict[str, str]:
    """The versions of those of the packages that are installed, and the minor version of Python."""
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def device_class(device: str) -> str:
    """What kind of device computes: ``cpu``, the name of the GPU with its CUDA version, or another type of PyTorch's.

    Raises:
        PaperError: a device that is not here, or one without float64.
    """
    if device == "cpu":
        return "cpu"
    import torch  # slow to import, and only needed here

    kind = torch.accelerator.current_accelerator()
    found = [f"{kind.type}:{index}" for index in range(torch.accelerator.device_count())]
    if device not in found and f"{device}:0" not in found:
        raise PaperError(
            f"device is {device!r}, but PyTorch {torch.__version__} finds {', '.join(['cpu', *found])} here: take one "
            "of these, or on a machine with a GPU install a build of PyTorch for it"
        )
    if kind.type == "mps":
        raise PaperError(f"device is {device!r}, which has no float64, the type of all numbers: use device 'cpu'")
    return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}" if kind.type == "cuda" else kind.type


def threads() -> int | None:
    """The number of threads that numerical libraries were told to use, None if they were left to choose."""
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdigit() else None


def machine() -> dict[str, str | int | None]:
    """The processor, its cores, the operating system and the Python that runs."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
