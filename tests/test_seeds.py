"""The one path of randomness."""

import ast
import itertools
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

import benign
from benign import seeds
from benign.errors import InputError
from benign.seeds import generator


def test_first_draws_are_pinned():
    # A change of the seeding scheme changes every number in the book: it must not go unnoticed.
    assert generator(0, "clean labels").integers(0, 2**32, 3).tolist() == [3054126732, 3831280489, 3279378738]
    assert generator(2**40, "noise").integers(0, 2**32, 3).tolist() == [2921189360, 3169698951, 432998176]


def test_a_seed_and_a_purpose_name_a_draw():
    same = [generator(3, "noise").standard_normal(5).tolist() for _ in range(2)]
    assert same[0] == same[1]
    others = [generator(seed, purpose).standard_normal() for seed in (0, 1, 2**32, 2**64) for purpose in ("a", "b")]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("kept", [seeds.KEPT, 0])
def test_normals_are_those_of_the_generator_however_many_at_a_time(kept, monkeypatch):
    monkeypatch.setattr(seeds, "KEPT", kept)
    expected = generator(3, "test").standard_normal((7, 4))
    for at_a_time in (1, 3, 7, 100):
        pieces = list(seeds.normals(3, "test", 7, 4, at_a_time))
        assert len(pieces[0]) == min(at_a_time, 7)
        np.testing.assert_array_equal(np.concatenate(pieces), expected)
    if kept:
        with pytest.raises(ValueError, match="read-only"):
            pieces[0][0, 0] = 1.0


def test_purposes_and_neighbouring_seeds_are_uncorrelated():
    draws = np.array([generator(seed, purpose).standard_normal(4000) for seed in range(5) for purpose in "abc"])
    correlations = np.corrcoef(draws)[np.triu_indices(len(draws), k=1)]
    # 105 of them, each of standard deviation 1/sqrt(4000): none beyond the two-sided level 0.001 of their maximum.
    assert np.abs(correlations).max() < stats.norm.isf(0.001 / 2 / len(correlations)) / np.sqrt(4000)


def test_no_two_purposes_in_the_package_share_a_checksum():
    purposes = set()
    for file in Path(benign.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            name = getattr(node, "func", None)
            if getattr(name, "attr", getattr(name, "id", "")) in ("generator", "normals"):
                purposes.add(ast.unparse(node.args[1]))
    assert len(purposes) > 5
    assert len({zlib.crc32(purpose.encode()) for purpose in purposes}) == len(purposes)


def test_why_torch_does_not_seed():
    # Its CPU generator forgets all but 32 bits: two seeds, one stream. (The day this fails, reconsider.)
    one, other = (torch.randn(5, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1 + 2**32))
    assert torch.equal(one, other)
    ours = [generator(seed, "noise").standard_normal() for seed in (1, 1 + 2**32)]
    assert ours[0] != ours[1]


@pytest.mark.parametrize("seed", [-1, 0.5, "0", None])
def test_a_seed_is_a_natural_number(seed):
    with pytest.raises(InputError, match=r"seed is .*: it must be an integer, at least 0"):
        generator(seed, "noise")


def test_numpy_integers_are_seeds():
    for one, other in itertools.pairwise([7, np.int64(7), np.uint32(7)]):
        assert generator(one, "x").random() == generator(other, "x").random()
