"""Image files that are what they say, and problems made of them."""

import functools
import gzip
import hashlib
import http.server
import os
import shutil
import threading
import zipfile

import numpy as np
import pooch
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benign.data import images, sample
from benign.errors import BenignError, InputError

full_data = pytest.mark.skipif(
    not os.environ.get("BENIGN_DATA_DIR"), reason="needs the full MNIST in the folder that BENIGN_DATA_DIR names"
)

# A set of four training and two test images, in the files and the format of MNIST.
TINY = {
    "train-images-idx3-ubyte": np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8),
    "train-labels-idx1-ubyte": np.array([3, 8, 8, 3], dtype=np.uint8),
    "t10k-images-idx3-ubyte": np.random.default_rng(1).integers(0, 256, (2, 28, 28), dtype=np.uint8),
    "t10k-labels-idx1-ubyte": np.array([8, 3], dtype=np.uint8),
}


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes() + array.tobytes()


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A folder with the tiny set under the name of MNIST, whose digests it replaces."""
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    for file, array in TINY.items():
        (folder / f"{file}.gz").write_bytes(gzip.compress(idx(array)))
    digests = {file: hashlib.sha256(idx(array)).hexdigest() for file, array in TINY.items()}
    monkeypatch.setitem(images.DIGESTS, "mnist", digests)
    monkeypatch.setenv("BENIGN_DATA_DIR", str(folder.parent))
    return folder


def assert_is_tiny(loaded: images.ImageSet):
    arrays = (loaded.train_images, loaded.train_labels, loaded.test_images, loaded.test_labels)
    for array, expected in zip(arrays, TINY.values(), strict=True):
        np.testing.assert_array_equal(array, expected)


@functools.cache
def mnist_sample() -> images.ImageSet:
    return images.load()


# The sample in the package


def test_sample_is_balanced_and_read_only():
    loaded = mnist_sample()
    assert loaded.train_images.shape == (4000, 28, 28) and loaded.test_images.shape == (1000, 28, 28)
    assert np.bincount(loaded.train_labels).tolist() == [400] * 10
    assert np.bincount(loaded.test_labels).tolist() == [100] * 10
    with pytest.raises(ValueError, match="read-only"):
        loaded.train_images[0, 0, 0] = 1


def test_sample_digests_are_those_of_the_file():
    with zipfile.ZipFile(images.SAMPLE) as archive:
        found = {member: hashlib.sha256(archive.read(member)).hexdigest() for member in archive.namelist()}
    assert found == images.DIGESTS["mnist-sample"]
    assert images.SAMPLE.stat().st_size < 2**20


def test_sample_file_does_not_depend_on_the_clock(tmp_path):
    thousand = np.repeat(np.arange(10, dtype=np.uint8), 400)
    blank = np.zeros((4000, 28, 28), dtype=np.uint8)
    sample.write(images.ImageSet("blank", blank, thousand, blank, thousand), tmp_path / "sample.npz")
    with zipfile.ZipFile(tmp_path / "sample.npz") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@full_data
def test_sample_is_what_its_script_draws_from_the_full_set(tmp_path):
    sample.write(images.load("mnist"), tmp_path / "sample.npz")
    with zipfile.ZipFile(tmp_path / "sample.npz") as archive:
        found = {member: hashlib.sha256(archive.read(member)).hexdigest() for member in archive.namelist()}
    assert found == images.DIGESTS["mnist-sample"]


@full_data
@pytest.mark.parametrize("part", ["train", "test"])
def test_every_sample_image_is_in_the_full_set_with_the_same_label(part):
    full, few = images.load("mnist"), mnist_sample()

    def pairs(of):
        pictures, digits = getattr(of, f"{part}_images"), getattr(of, f"{part}_labels")
        return {(picture.tobytes(), int(digit)) for picture, digit in zip(pictures, digits, strict=True)}

    assert len(pairs(few)) == len(getattr(few, f"{part}_labels"))  # no image twice
    assert pairs(few) <= pairs(full)


@full_data
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_full_sets_load(name):
    loaded = images.load(name)
    assert loaded.train_images.shape == (60_000, 28, 28) and loaded.test_images.shape == (10_000, 28, 28)
    assert set(loaded.train_labels) == set(loaded.test_labels) == set(range(10))
    assert np.bincount(loaded.test_labels).sum() == 10_000


def test_damaged_sample_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "SAMPLE", tmp_path / "mnist-sample.npz")
    with pytest.raises(images.DataError, match=r"mnist-sample\.npz is missing\. Install"):
        images.load()
    images.SAMPLE.write_bytes(b"nothing of the kind")
    with pytest.raises(images.DataError, match=r"cannot be read.*Install"):
        images.load()
    np.savez_compressed(images.SAMPLE, train_images=np.zeros((4000, 28, 28), np.uint8))
    with pytest.raises(images.DataError, match=images.DIGESTS["mnist-sample"]["train_images.npy"]):
        images.load()


# The full sets from a folder


def test_files_are_found_below_the_name_and_directly(tiny, monkeypatch):
    assert_is_tiny(images.load("mnist"))
    monkeypatch.setenv("BENIGN_DATA_DIR", str(tiny))
    assert_is_tiny(images.load("mnist"))


def test_a_recompressed_copy_is_accepted(tiny):
    for path in tiny.iterdir():
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1, mtime=1))
    assert_is_tiny(images.load("mnist"))


def test_a_missing_file_is_named_with_its_places_and_digest(tiny):
    (tiny / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(BenignError) as caught:
        images.load("mnist")
    message = str(caught.value)
    assert str(tiny / "t10k-labels-idx1-ubyte.gz") in message
    assert str(tiny.parent / "t10k-labels-idx1-ubyte.gz") in message
    assert images.DIGESTS["mnist"]["t10k-labels-idx1-ubyte"] in message
    assert "unset BENIGN_DATA_DIR" in message


@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_a_truncated_file_is_refused(tiny, kept):
    path = tiny / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(images.DataError) as caught:
        images.load("mnist")
    assert str(path) in str(caught.value) and images.DIGESTS["mnist"]["train-images-idx3-ubyte"] in str(caught.value)


def test_another_content_is_refused_with_both_digests(tiny):
    path = tiny / "train-labels-idx1-ubyte.gz"
    other = idx(np.array([3, 8, 8, 8], dtype=np.uint8))
    path.write_bytes(gzip.compress(other))
    with pytest.raises(images.DataError) as caught:
        images.load("mnist")
    for part in (str(path), hashlib.sha256(other).hexdigest(), images.DIGESTS["mnist"]["train-labels-idx1-ubyte"]):
        assert part in str(caught.value)


# The full sets from the network, which is a folder served on this machine


@pytest.fixture
def mirrors(tiny, tmp_path, monkeypatch):
    """Two mirrors, the second of which is good, and an empty cache; the list of paths that were asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    site = tmp_path / "site"
    (site / "bad").mkdir(parents=True)
    shutil.copytree(tiny, site / "good")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("BENIGN_DATA_DIR")
        monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
        monkeypatch.setitem(images.MIRRORS, "mnist", (f"{address}/bad/", f"{address}/good/"))
        yield site, asked
        server.shutdown()


def test_files_are_fetched_once_from_the_first_mirror_that_has_them(mirrors):
    _, asked = mirrors
    assert_is_tiny(images.load("mnist"))
    assert any(path.startswith("/bad/") for path in asked)
    asked.clear()
    assert_is_tiny(images.load("mnist"))
    assert asked == []


def test_wrong_and_damaged_files_of_a_mirror_are_passed_over(mirrors):
    site, _ = mirrors
    for file in TINY:
        (site / "bad" / f"{file}.gz").write_bytes(gzip.compress(b"another file") if "t10k" in file else b"truncated")
    assert_is_tiny(images.load("mnist"))


def test_a_damaged_copy_in_the_cache_is_fetched_again(mirrors, tmp_path, monkeypatch):
    images.load("mnist")
    monkeypatch.setitem(images.MIRRORS, "mnist", images.MIRRORS["mnist"][1:])
    cached = tmp_path / "cache" / "benign" / "mnist" / "train-images-idx3-ubyte.gz"
    cached.write_bytes(cached.read_bytes()[:100])
    assert_is_tiny(images.load("mnist"))


def test_when_no_mirror_helps_each_is_named_with_its_reason(mirrors):
    site, _ = mirrors
    path = site / "good" / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(b"another file"))
    with pytest.raises(images.DataError) as caught:
        images.load("mnist")
    message = str(caught.value)
    assert "/bad/: 404" in message
    assert hashlib.sha256(b"another file").hexdigest() in message
    assert images.DIGESTS["mnist"]["train-images-idx3-ubyte"] in message
    assert "set BENIGN_DATA_DIR" in message


def test_an_unknown_name_gives_the_nearest():
    with pytest.raises(InputError, match="'fashion_mnist': did you mean 'fashion-mnist'"):
        images.load("fashion_mnist")
    with pytest.raises(InputError, match="There are mnist-sample, mnist, fashion-mnist"):
        images.load("cifar")


# Problems


def chosen(drawn: images.Problem) -> np.ndarray:
    """Which training images of the sample the inputs of unit length are."""
    pixels = mnist_sample().train_images.reshape(-1, 784) / np.linalg.norm(
        mnist_sample().train_images.reshape(-1, 784), axis=1, keepdims=True
    )
    indices = (drawn.x.numpy() @ pixels.T).argmax(1)
    np.testing.assert_allclose(drawn.x, pixels[indices], rtol=1e-12, atol=1e-14)
    return indices


@settings(max_examples=10)
@given(n=st.integers(2, 60), seed=st.integers(0, 1000), classes=st.permutations(range(10)))
def test_inputs_are_a_balanced_choice_of_the_classes(n, seed, classes):
    negative, positive = classes[:2]
    drawn = images.problem(mnist_sample(), (negative, positive), n=n, seed=seed)
    indices = chosen(drawn)
    assert len(np.unique(indices)) == n
    truth = mnist_sample().train_labels[indices]
    assert set(truth) == {negative, positive} and abs(np.sum(truth == negative) - n / 2) <= 0.5
    np.testing.assert_array_equal(drawn.clean, np.where(truth == positive, 1, -1))
    assert drawn.x.dtype == drawn.labels.dtype == torch.float64


def test_training_labels_are_polluted_and_test_labels_clean():
    drawn = images.problem(mnist_sample(), n=200, label_noise=0.1)
    assert (drawn.labels == -drawn.clean).sum() == 20
    truth = mnist_sample().test_labels[np.isin(mnist_sample().test_labels, (3, 8))]
    np.testing.assert_array_equal(drawn.labels_test, np.where(truth == 3, -1, 1))


def test_random_flips_vary_in_number_and_exact_ones_do_not():
    def counts(exact):
        problems = (images.problem(mnist_sample(), n=100, seed=s, exact_flips=exact) for s in range(20))
        return {int((p.labels != p.clean).sum()) for p in problems}

    assert counts(exact=True) == {10}
    assert len(counts(exact=False)) > 3


def test_unit_norm_inputs_have_norm_one():
    drawn = images.problem(mnist_sample(), n=50)
    for x in (drawn.x, drawn.x_test):
        torch.testing.assert_close(torch.linalg.norm(x, dim=1), torch.ones(len(x), dtype=torch.float64))


def test_standardised_pixels_have_mean_zero_and_variance_one_or_are_zero():
    drawn = images.problem(mnist_sample(), n=50, scaling="standardised")
    pixels = mnist_sample().train_images[chosen(images.problem(mnist_sample(), n=50))].reshape(50, 784)
    constant = torch.from_numpy(np.ptp(pixels, axis=0) == 0)
    assert 0 < constant.sum() < 784
    assert (drawn.x[:, constant] == 0).all() and (drawn.x_test[:, constant] == 0).all()
    x = drawn.x[:, ~constant]
    torch.testing.assert_close(x.mean(dim=0), torch.zeros(x.shape[1], dtype=torch.float64))
    torch.testing.assert_close(x.square().mean(dim=0), torch.ones(x.shape[1], dtype=torch.float64))
    # Test images are moved by the training images' mean and deviation, not by their own.
    test = mnist_sample().test_images[np.isin(mnist_sample().test_labels, (3, 8))].reshape(-1, 784)
    expected = ((test - pixels.mean(axis=0)) / np.where(constant, 1, pixels.std(axis=0)))[:, ~constant.numpy()]
    np.testing.assert_allclose(drawn.x_test[:, ~constant], expected, rtol=1e-10, atol=1e-10)


def test_the_seed_decides_everything():
    def draw(seed):
        return images.problem(mnist_sample(), n=100, seed=seed)

    one, again, other = draw(1), draw(1), draw(2)
    for field in ("x", "labels", "x_test"):
        assert torch.equal(getattr(one, field), getattr(again, field))
    assert not torch.equal(one.x, other.x) and torch.equal(one.x_test, other.x_test)
    assert not torch.equal(one.labels * one.clean, other.labels * other.clean)


def test_a_smaller_sample_begins_a_larger_one():
    small, large = (images.problem(mnist_sample(), n=n) for n in (30, 101))
    assert torch.equal(small.x, large.x[:30])


def test_noise_changes_neither_images_nor_the_labels_polluted_at_less():
    low, high = (images.problem(mnist_sample(), n=100, label_noise=noise) for noise in (0.1, 0.3))
    assert torch.equal(low.x, high.x)
    polluted = low.labels != low.clean
    assert torch.equal(low.labels[polluted], high.labels[polluted])


def test_all_images_of_a_pair_can_be_taken_and_no_more():
    assert len(images.problem(mnist_sample(), n=800).x) == 800
    with pytest.raises(InputError, match=r"n is 801.*1 to 800 images.*400 of class 3, 400 of class 8"):
        images.problem(mnist_sample(), n=801)


def test_unequal_classes_allow_one_more_of_an_earlier_class(tiny):
    labels = np.array([3, 3, 3, 8], dtype=np.uint8)
    pixels = np.ones((4, 28, 28), dtype=np.uint8)
    lopsided = images.ImageSet("lopsided", pixels, labels, pixels, labels)
    assert images.problem(lopsided, (3, 8), n=3, label_noise=0.0).clean.tolist() == [-1, 1, -1]
    with pytest.raises(InputError, match="1 to 3 images"):
        images.problem(lopsided, (3, 8), n=4)
    with pytest.raises(InputError, match="1 to 2 images"):
        images.problem(lopsided, (8, 3), n=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n is 0"),
        ({"n": -3}, "n is -3"),
        ({"classes": (3, 3)}, r"classes is \(3, 3\).*different"),
        ({"classes": (3, 11)}, r"classes \[11\] are not in mnist-sample"),
        ({"classes": (3, -8)}, r"classes \[-8\] are not in"),
        ({"label_noise": 0.5}, "label_noise is 0.5"),
        ({"label_noise": -0.1}, "label_noise is -0.1"),
    ],
)
def test_bad_values_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        images.problem(mnist_sample(), **arguments)


def test_an_unknown_scaling_is_refused():
    with pytest.raises(Exception, match="unit-norm"):  # ours, or the type checker's where it is switched on
        images.problem(mnist_sample(), scaling="unit")
