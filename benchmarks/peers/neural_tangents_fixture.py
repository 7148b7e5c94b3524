"""Make tests/ntk/fixtures/neural-tangents.json: a few tangent kernels as neural-tangents computes them.

neural-tangents needs an old jax and NumPy 1, so it lives in an environment of its own, the one of `make bench`:

    .peers/bin/python benchmarks/peers/neural_tangents_fixture.py

One core, half a minute. The correspondence: their dense layer multiplies by W_std / sqrt(fan-in). Hence W_std = sqrt(d)
in the first layer, whose kernel is then <x, z> and not <x, z> / d, and W_std = sqrt(2 / (1 + slope^2)) in the others.
"""

import json
import math
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
from neural_tangents import stax

FIXTURE = Path(__file__).parents[2] / "tests" / "ntk" / "fixtures" / "neural-tangents.json"
DEPTHS, SLOPES = (2, 3, 5), (0, 0.1)


def inputs() -> dict[int, np.ndarray]:
    """Vectors in R^3 and R^10: norms other than one, a right angle, near-parallel, parallel and opposite pairs."""
    by_hand = [[1, 0, 0], [0, 2, 0], [-0.5, 0, 0], [1, 0.001, 0], [-1, 0.001, 0], [0.3, -1.2, 0.8], [3, 0, 0]]
    return {3: np.array(by_hand), 10: np.random.default_rng(0).integers(-9, 10, (6, 10)) / 4}


def kernel_function(depth: int, slope: float, d: int):
    """Theirs for ``depth`` layers of weights without biases, in the normalisation of ``benign.ntk``."""
    he = math.sqrt(2 / (1 + slope**2))
    layers = [stax.Dense(1, W_std=math.sqrt(d))]
    for _ in range(depth - 1):
        layers += [stax.LeakyRelu(alpha=slope), stax.Dense(1, W_std=he)]
    return stax.serial(*layers)[2]


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    points = inputs()
    cases = []
    for d, x in points.items():
        for depth in DEPTHS:
            for slope in SLOPES:
                kernels = kernel_function(depth, slope, d)(x, x, ("nngp", "ntk"))
                cases.append(
                    {"d": d, "depth": depth, "slope": slope}
                    | {kind: np.asarray(getattr(kernels, kind)).tolist() for kind in ("nngp", "ntk")}
                )
    record = {
        "made by": "benchmarks/peers/neural_tangents_fixture.py",
        "versions": {name: version(name) for name in ("neural-tangents", "jax", "jaxlib", "numpy")},
        "settings": "jax_enable_x64; stax.Dense(W_std=sqrt(d)), then (stax.LeakyRelu(alpha=slope), "
        "stax.Dense(W_std=sqrt(2 / (1 + slope^2)))) depth - 1 times; no biases, ntk parameterization",
        "inputs": {str(d): x.tolist() for d, x in points.items()},
        "cases": cases,
    }
    # One line a case: readable, and a change shows as a change of that case.
    text = json.dumps(record).replace('{"d": ', '\n{"d": ').replace('"inputs"', '\n"inputs"')
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    FIXTURE.write_text(text + "\n")


if __name__ == "__main__":
    main()
