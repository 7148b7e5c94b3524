"""Images as data: MNIST, Fashion-MNIST, and the classification problems with polluted labels made of them.

A data file is known by the sha256 of its decompressed content, so any recompressed copy will do and no other will.
"""

import difflib
import functools
import gzip
import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from benign.data import labels
from benign.errors import BenignError, InputError
from benign.seeds import generator

Scaling = Literal["unit-norm", "standardised"]

SAMPLE = Path(__file__).with_name("mnist-sample.npz")

# Training images, training labels, test images, test labels: the order of ImageSet's fields.
DIGESTS = {
    "mnist-sample": {
        "train_images.npy": "dc4e98e05ce7a64b08350892d85b1fc148f95fc65e37983d6fd14f064dcdf9ff",
        "train_labels.npy": "f8cf1f67872fc9c42d841d711c55a2df4cba2a17afcf41bd95ec3d0cbbe33ad8",
        "test_images.npy": "61f829fa36df58e7edd83c55f68df631b3b4953df0d16e9dc579252d506b16f8",
        "test_labels.npy": "c0f85a4dc08b062b4f7e7e5a8d163ae71e5638e6cd85d63c7ad1c741377e9bef",
    },
    "mnist": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}

MIRRORS = {
    "mnist": (
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    "fashion-mnist": (
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
}


class DataError(BenignError):
    """A data file that is missing, damaged, or not the one that its digest names."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Grey images of 28 x 28 pixels with their classes, split into a training and a test part; read-only."""

    name: str
    train_images: UInt8[np.ndarray, "n_train 28 28"]
    train_labels: UInt8[np.ndarray, " n_train"]
    test_images: UInt8[np.ndarray, "n_test 28 28"]
    test_labels: UInt8[np.ndarray, " n_test"]


@dataclass(frozen=True, eq=False)
class Problem:
    """A classification problem: n training inputs in R^d with polluted labels, and test inputs with clean ones."""

    x: Float64[Tensor, "n d"]
    labels: Float64[Tensor, " n"]
    clean: Float64[Tensor, " n"]
    x_test: Float64[Tensor, "n_test d"]
    labels_test: Float64[Tensor, " n_test"]


def load(name: str = "mnist-sample") -> ImageSet:
    """The image set of that name: ``mnist-sample``, ``mnist`` or ``fashion-mnist``.

    The sample (400 training and 100 test images a digit) comes with the package. The full sets (60,000 and 10,000) are
    looked for in the folder that the environment variable BENIGN_DATA_DIR names, as ``<name>/<file>.gz`` or
    ``<file>.gz``; where it is not set, they are downloaded once into the user's cache.

    Raises:
        InputError: an unknown name.
        DataError: a file that is missing, cannot be decompressed or has another digest.
    """
    if name not in DIGESTS:
        near = difflib.get_close_matches(name, DIGESTS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(f"no image set is called {name!r}: {hint}There are {', '.join(DIGESTS)}")
    if name == "mnist-sample":
        return _sample(SAMPLE)
    if folder := os.environ.get("BENIGN_DATA_DIR"):
        arrays = [_idx(_from_folder(Path(folder), name, file)) for file in DIGESTS[name]]
    else:
        arrays = [_idx(_from_mirrors(name, file)) for file in DIGESTS[name]]
    return _set_of(name, arrays)


def problem(
    images: ImageSet,
    classes: tuple[int, int] = (3, 8),
    n: int = 200,
    label_noise: float | int = 0.1,
    scaling: Scaling = "unit-norm",
    seed: int = 0,
    exact_flips: bool = True,
    balanced: bool = False,
) -> Problem:
    """A balanced random sample of two classes, labels -1 and +1, with polluted training labels and scaled pixels.

    Of the n training images each class has n/2, up to one; the sample of a smaller n, from the same seed, is the
    beginning of that of a larger one. The test images are all of these classes, their labels are clean.
    ``label_noise``, ``exact_flips`` and ``balanced`` are explained at :func:`benign.data.labels.flip`.

    ``unit-norm`` divides every image by its Euclidean norm. ``standardised`` subtracts from every pixel its mean over
    the n training images and divides by its standard deviation over them (divisor n), test images too; a pixel that
    is constant on the training images becomes 0 everywhere.

    Shapes: with d = 784, inputs are (n, d) and (n_test, d).

    Raises:
        InputError: classes that are equal or not in the set, ``n`` below 1 or above what the set has, ``label_noise``
            outside [0, 0.5), an unknown scaling.
    """
    known = np.unique(images.train_labels).tolist()
    if classes[0] == classes[1]:
        raise InputError(f"classes is {classes}: give two different ones")
    if unknown := [c for c in classes if c not in known]:
        raise InputError(f"classes {unknown} are not in {images.name}: it has {known}")
    if scaling not in get_args(Scaling):
        raise InputError(f"scaling is {scaling!r}: it must be one of {', '.join(get_args(Scaling))}")

    # Taken from the classes in turn, so that the first images do not depend on n.
    rng = generator(seed, "images: training sample")
    members = [rng.permutation(np.flatnonzero(images.train_labels == c)) for c in classes]
    most = min(2 * len(m) + i for i, m in enumerate(members))
    if not 1 <= n <= most:
        there = ", ".join(f"{len(m)} of class {c}" for c, m in zip(classes, members, strict=True))
        raise InputError(f"n is {n}: a balanced choice can have 1 to {most} images, as there are {there}")
    train = np.array([members[i % 2][i // 2] for i in range(n)])
    test = np.flatnonzero(np.isin(images.test_labels, classes))
    clean, labels_test = (
        np.where(there == classes[1], 1.0, -1.0) for there in (images.train_labels[train], images.test_labels[test])
    )
    polluted = labels.flip(clean, label_noise, generator(seed, "images: label noise"), exact_flips, balanced)

    x, x_test = _flat(images.train_images[train]), _flat(images.test_images[test])
    if scaling == "unit-norm":
        x, x_test = (torch.nn.functional.normalize(z, dim=1) for z in (x, x_test))
    else:
        std, mean = torch.std_mean(x, dim=0, correction=0)
        constant = x.amin(dim=0) == x.amax(dim=0)
        x, x_test = (((z - mean) / std).masked_fill(constant, 0.0) for z in (x, x_test))
    clean, polluted, labels_test = (torch.from_numpy(y) for y in (clean, polluted, labels_test))
    return Problem(x, polluted, clean, x_test, labels_test)


@functools.lru_cache(maxsize=1)
def _sample(archive: Path) -> ImageSet:
    return _set_of("mnist-sample", [np.load(io.BytesIO(_packaged(archive, file))) for file in DIGESTS["mnist-sample"]])


def _set_of(name: str, arrays: Sequence[np.ndarray]) -> ImageSet:
    for array in arrays:
        array.setflags(write=False)
    return ImageSet(name, *arrays)


def _flat(images: UInt8[np.ndarray, "n h w"]) -> Float[Tensor, "n h*w"]:
    """Images as rows of grey levels, 0 to 255."""
    return torch.from_numpy(images.reshape(len(images), -1).astype(np.float64))


def _idx(content: bytes) -> np.ndarray:
    """The array of bytes that an IDX file holds: three bytes of type, the number of axes, their lengths, the data."""
    lengths = np.frombuffer(content, dtype=">u4", count=content[3], offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * len(lengths)).reshape(lengths)


def _packaged(file: Path, member: str) -> bytes:
    remedy = "Install the package again"
    try:
        with zipfile.ZipFile(file) as archive:
            content = archive.read(member)
    except FileNotFoundError:
        raise DataError(f"{file} is missing. {remedy}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise DataError(f"{file} cannot be read ({error}). {remedy}") from error
    return _checked(content, "mnist-sample", member, file, remedy)


def _from_folder(folder: Path, name: str, file: str) -> bytes:
    places = [folder / name / f"{file}.gz", folder / f"{file}.gz"]
    remedy = f"Put a copy of {MIRRORS[name][0]}{file}.gz there, or unset BENIGN_DATA_DIR to download it"
    for place in places:
        if place.is_file():
            return _gunzipped(place, name, file, remedy)
    raise DataError(
        f"{name}: {file}.gz is missing: BENIGN_DATA_DIR is {folder}, and neither {places[0]} nor {places[1]} is a "
        f"file. Its decompressed content has sha256 {DIGESTS[name][file]}. {remedy}"
    )


def _from_mirrors(name: str, file: str) -> bytes:
    import pooch  # only where a download may be needed: it imports tqdm.auto, which warns in notebooks without widgets

    path = Path(pooch.os_cache("benign")) / name / f"{file}.gz"
    if path.is_file():
        try:
            return _gunzipped(path, name, file, remedy="")
        except DataError:
            path.unlink()  # a damaged copy in our own cache: fetch it again
    refusals = []
    for mirror in MIRRORS[name]:
        try:
            pooch.retrieve(f"{mirror}{file}.gz", known_hash=None, fname=path.name, path=path.parent, progressbar=True)
            return _gunzipped(path, name, file, remedy="")
        except DataError as error:
            path.unlink()
            refusals.append(f"{mirror}: {error}")
        except OSError as error:  # no connection, no such file there, no room on the disk
            refusals.append(f"{mirror}: {error}")
    raise DataError(
        f"{name}: no mirror gave {file}.gz, whose decompressed content has sha256 {DIGESTS[name][file]}. Fetch it by "
        "other means and set BENIGN_DATA_DIR to its folder. The mirrors said:\n" + "\n".join(refusals)
    )


def _gunzipped(path: Path, name: str, file: str, remedy: str) -> bytes:
    try:
        content = gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(
            f"{path} is truncated or damaged ({error}); decompressed, it should have sha256 {DIGESTS[name][file]}. "
            f"{remedy}"
        ) from error
    return _checked(content, name, file, path, remedy)


def _checked(content: bytes, name: str, file: str, path: Path, remedy: str) -> bytes:
    found, expected = hashlib.sha256(content).hexdigest(), DIGESTS[name][file]
    if found != expected:
        raise DataError(
            f"{path} is not {file} of {name}: the sha256 of its decompressed content is {found}, expected {expected}. "
            f"{remedy}"
        )
    return content
