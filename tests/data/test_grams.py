"""Samples, weights and points as inner products."""

import pytest
import torch

from benign.data.grams import Grams, Points, stack
from benign.errors import InputError
from benign.seeds import generator


def normal(*shape: int) -> torch.Tensor:
    return torch.tensor(generator(0, f"test of grams {shape}").standard_normal(shape))


X, W, NEW = normal(4, 9), normal(3, 9), normal(5, 9)  # n, m and k vectors
BATCH = normal(2, 4, 9), normal(2, 3, 9), normal(2, 5, 9)


def same(one: Grams | Points, other: Grams | Points) -> None:
    assert type(one) is type(other)
    for name, tensor in vars(one).items():
        torch.testing.assert_close(tensor, getattr(other, name), rtol=1e-14, atol=1e-14, msg=name)


def test_the_entries_are_inner_products():
    grams, points = Grams.of(X, W), Points.of(NEW, X, W)
    shapes = [(4, 4), (3, 4), (3, 3), (4, 5), (3, 5)]
    tensors = [*vars(grams).values(), *vars(points).values()]
    assert [tuple(tensor.shape) for tensor in tensors] == shapes
    pairs = [(X, X), (W, X), (W, W), (X, NEW), (W, NEW)]
    for tensor, (rows, columns) in zip(tensors, pairs, strict=True):
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                assert tensor[i, j].item() == pytest.approx((row * column).sum().item(), rel=1e-13, abs=1e-13)


def test_a_batch_holds_its_runs():
    x, w, new = BATCH
    for batch, runs in (
        (Grams.of(x, w), [Grams.of(x[r], w[r]) for r in range(2)]),
        (Points.of(new, x, w), [Points.of(new[r], x[r], w[r]) for r in range(2)]),
    ):
        same(stack(runs), batch)


def test_scaled_weights():
    same(Grams.of(X, W).scaled(0.3), Grams.of(X, 0.3 * W))
    same(Points.of(NEW, X, W).scaled(-2), Points.of(NEW, X, -2 * W))


def test_no_directions():
    grams = Grams.of(X, W[:0]).scaled(2.0)
    assert [tuple(tensor.shape) for tensor in vars(grams).values()] == [(4, 4), (0, 4), (0, 0)]


def test_another_type():
    single = Grams.of(X, W).to(torch.float32)
    assert {tensor.dtype for tensor in vars(single).values()} == {torch.float32}
    torch.testing.assert_close(single.cross.double(), W @ X.T, rtol=1e-6, atol=1e-6)
    assert Points.of(NEW, X, W).to("cpu", dtype=torch.float32).weights.dtype == torch.float32
    assert single.scaled(2.0).weights.dtype == torch.float32


@pytest.mark.gpu
def test_another_device():
    assert {tensor.device.type for tensor in vars(Grams.of(X, W).to("cuda")).values()} == {"cuda"}


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "there are none: stack like with like"),
        ([Grams.of(X, W), Grams.of(X, W[:2])], r"there are \('Grams', \(4, 4\), \(2, 4\), \(2, 2\)\), \('Grams', "),
        ([Grams.of(X, W), Points.of(NEW, X, W)], "'Grams', .*'Points', "),
    ],
)
def test_runs_that_do_not_belong_together(runs, message):
    with pytest.raises(InputError, match=message):
        stack(runs)
