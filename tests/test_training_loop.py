"""The training loop that the first chapter shows is the one that the package runs, fast or slow."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
from scipy.special import expit

from benign.experiments.clusters import PollutedClusters
from benign.experiments.polluted import initial_networks
from benign.train import dense, span

CHAPTER = Path(__file__).parents[1] / "chapters" / "phenomenon.ipynb"


@pytest.fixture(scope="module")
def gradient_descent():
    (cell,) = [cell for cell in nbformat.read(CHAPTER, 4).cells if cell.id == "loop"]
    names = {"np": np, "expit": expit}
    exec(cell.source, names)
    return names["gradient_descent"]


@pytest.mark.parametrize("engine", [span, dense], ids=["span", "dense"])
@pytest.mark.parametrize("p", [10, 2000])
def test_the_loop_on_the_page_is_the_package_s(gradient_descent, engine, p):
    run = PollutedClusters(n=30, p=p, signal_index=6.0, label_noise=0.15, width=16, step=1.0, steps=300, seed=3)
    drawn = run.sample()
    network = initial_networks([run], [drawn])
    trained = engine.train(network, drawn.x[None], drawn.labels[None], step_size=run.step_size, steps=run.steps)
    given = (t.numpy() for t in (drawn.x, drawn.labels, network.weights[0], network.signs[0]))
    weights, margins = gradient_descent(*given, run.step_size, run.steps)
    theirs = trained.network.weights[0].numpy()
    np.testing.assert_allclose(weights, theirs, rtol=0, atol=1e-9 * np.abs(theirs).max())
    outputs = trained.network(drawn.x[None])[0]
    np.testing.assert_allclose(margins, (drawn.labels * outputs).numpy(), rtol=1e-9, atol=1e-9)
    assert (weights != network.weights[0].numpy()).any(), "nothing was trained"
