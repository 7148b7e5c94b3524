"""Directions of neurons, against explicit weights."""

import dataclasses

import numpy as np
import pytest

from benign.experiments import polluted
from benign.experiments.alignments import Alignments

SMALL = Alignments(n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=9, step=1.0, steps=30, records=(0, 7))


def cosine(u: np.ndarray, v: np.ndarray) -> float:
    return float(u @ v / np.linalg.norm(u) / np.linalg.norm(v))


def test_the_table_is_that_of_explicit_weights():
    run = SMALL
    (table,) = Alignments.run([run])
    assert table.columns.tolist() == ["at_step", "to_mu", "to_own", "length"]
    assert table.at_step.tolist() == [t for t in (0, 7, 30) for _ in range(9)]
    sample = run.sample()
    network = polluted.train([run], [sample], {}).network
    w, a = network.weights[0].numpy(), network.signs[0].numpy()
    x, y = sample.x.numpy(), sample.labels.numpy()
    mu = np.zeros(x.shape[1])
    mu[0] = run.signal
    end = table[table.at_step == 30].reset_index(drop=True)
    for j in range(9):
        own = sum(a[j] * y[i] * x[i] for i in range(12) if w[j] @ x[i] > 0)
        assert end.to_mu[j] == pytest.approx(a[j] * cosine(w[j], mu), rel=1e-9)
        assert end.to_own[j] == pytest.approx(cosine(w[j], own), rel=1e-9)
        assert end.length[j] == pytest.approx(np.linalg.norm(w[j]), rel=1e-9)


def test_neurons_turn_to_their_samples_and_to_mu():
    (table,) = Alignments.run([dataclasses.replace(SMALL, p=10**6, n=40, width=40, signal_index=20.0)])
    start, end = (table[table.at_step == t] for t in (0, 30))
    assert start.to_own.abs().max() < 0.1
    assert end.to_own.min() > 0.9
    assert end.to_mu.min() > 0


def test_a_neuron_that_is_active_nowhere_has_no_samples():
    runs = [dataclasses.replace(SMALL, n=2, seed=seed, width=64, steps=0, records=()) for seed in range(3)]
    for run, table in zip(runs, Alignments.run(runs), strict=True):
        sample = run.sample()
        silent = (sample.directions @ sample.x.T <= 0).all(1)
        assert table.to_own.isna().tolist() == silent.tolist()
        assert table.to_mu.notna().all()
