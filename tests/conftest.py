"""What holds for every test: shapes are checked, draws are pinned, nothing global changes, no user file is touched."""

import gc
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from jaxtyping import install_import_hook

# As in a build, and before anything reads them: with several threads a product's last bits depend on the batch.
os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}

# Before anything else imports them: the annotations of these packages are checked at every call.
CHECKED = ["benign.data", "benign.networks", "benign.ntk", "benign.measure"]
trainers = Path(__file__).parents[1] / "src" / "benign" / "train"
# but for those that numba compiles, which must be as they are written
CHECKED += [f"benign.train.{path.stem}" for path in trainers.glob("*.py") if path.stem != "compiled"]
install_import_hook(CHECKED, "beartype.beartype")

import matplotlib as mpl  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from filelock import FileLock  # noqa: E402
from hypothesis import settings  # noqa: E402

# Derandomised, so that a failure in one run is a failure in the next; a slow machine is no failure.
for name, examples in {"fast": 25, "thorough": 120}.items():  # thorough: --hypothesis-profile, as make test-all does
    settings.register_profile(name, max_examples=examples, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("fast")


ROOT = Path(__file__).parents[1]
NUMBERS = itertools.count()


def pytest_addoption(parser):
    parser.addoption("--site", type=Path, help="test this smoke build of the book instead of building one")
    parser.addoption("--screenshots", type=Path, help="write pictures of every page into this folder")


def pytest_collection_modifyitems(items):
    with_site = list(dict.fromkeys(item.path for item in items if "site" in item.fixturenames))
    # One worker builds the book from the beginning on; whoever else needs its pages comes when they are there.
    items.sort(key=lambda item: (item.path in with_site) - 2 * (item.path in with_site[-1:]))
    for item in items:
        if item.path in with_site and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(1800))  # the first waits for the build: minutes on two busy cores
        if item.get_closest_marker("gpu") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device, and PyTorch finds none"))


def pytest_collection_finish():
    gc.freeze()  # what was imported stays, and need not be looked through for rubbish again and again
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """A function that has a folder made once for all workers: one makes it, the others wait for it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # each worker has a folder of its own in that of the session

    def made(name, make):
        folder, failed = shared / name, shared / f"{name}-failed.txt"
        with FileLock(shared / f"{name}.lock"):
            if not folder.exists():
                command, environment = make(folder)
                done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
                if done.returncode:
                    failed.write_text(done.stdout + done.stderr)
        assert not failed.exists(), failed.read_text()
        return folder

    return made


@pytest.fixture(scope="session")
def site(request, once):
    """The pages of the book, built at the smoke preset from a copy of its sources, once for all workers."""
    if given := request.config.getoption("--site"):
        return given.resolve()

    def copy(root):
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("_build", ".*", "__pycache__", "*.egg-info", "tests"))
        environment = {name: value for name, value in os.environ.items() if name != "LIVINGPAPER_CACHE_DIR"}
        # computed with the package here, which that of the copy is like, and which need not be compiled again
        return [sys.executable, "-m", "livingpaper.cli", "build", "--preset", "smoke"], environment

    return once("book", copy) / "_build" / "smoke" / "html"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """A result store of the test's own, made when something is put there."""
    folder = tmp_path_factory.getbasetemp() / "caches" / str(next(NUMBERS))
    monkeypatch.setenv("LIVINGPAPER_CACHE_DIR", str(folder))
    return folder


def global_state() -> dict[str, object]:
    """What a library must leave as its user set it."""
    kind, keys, *rest = np.random.get_state()
    return {
        "torch default dtype": torch.get_default_dtype(),
        "torch default device": torch.get_default_device(),
        "torch threads": torch.get_num_threads(),
        "torch deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "torch gradients": torch.is_grad_enabled(),
        "torch float32 matrix products": torch.get_float32_matmul_precision(),
        "torch random state": torch.get_rng_state().numpy().tobytes(),
        "numpy random state": (kind, keys.tobytes(), *rest),
        "numpy error handling": np.geterr(),
        "matplotlib parameters": dict(mpl.rcParams),
    }


@pytest.fixture(autouse=True)
def global_state_is_left_alone(request):
    """Fail a test after which a library's global state is another, unless it is marked as an exemption."""
    before = global_state()
    yield
    if request.node.get_closest_marker("changes_global_state"):
        return
    after = global_state()
    if changed := [name for name in before if before[name] != after[name]]:
        pytest.fail(f"the test, or the code under it, changed global state: {', '.join(changed)}")
