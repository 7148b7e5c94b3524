"""What holds for every test: shapes are checked, draws are pinned, nothing global changes, no user file is touched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from jaxtyping import install_import_hook

# As in a build, and before anything reads them: with several threads a product's last bits depend on the batch.
os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}

# Before anything else imports them: the annotations of these packages are checked at every call.
CHECKED = ["benign.data", "benign.networks", "benign.train", "benign.ntk", "benign.measure"]
install_import_hook(CHECKED, "beartype.beartype")

import matplotlib as mpl  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

# Derandomised, so that a failure in one run is a failure in the next; a slow machine is no failure.
settings.register_profile("benign", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("benign")


ROOT = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption("--site", type=Path, help="test this smoke build of the book instead of building one")
    parser.addoption("--screenshots", type=Path, help="write pictures of every page into this folder")


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device, and PyTorch finds none"))


@pytest.fixture(scope="session")
def site(request, tmp_path_factory):
    """The pages of the book, built from a copy of its sources at the smoke preset."""
    if given := request.config.getoption("--site"):
        return given.resolve()
    root = tmp_path_factory.mktemp("book") / "book"
    left_out = shutil.ignore_patterns("_build", ".*", "__pycache__", "*.egg-info", "tests")
    shutil.copytree(ROOT, root, ignore=left_out)
    environment = {name: value for name, value in os.environ.items() if name != "LIVINGPAPER_CACHE_DIR"}
    environment["PYTHONPATH"] = str(root / "src")
    command = [sys.executable, "-m", "livingpaper.cli", "build", "--preset", "smoke"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "_build" / "smoke" / "html"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """A result store of the test's own."""
    folder = tmp_path_factory.mktemp("cache")
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
