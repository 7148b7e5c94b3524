"""The peer of rows 5 and 6: tangent kernels by neural-tangents, He scaling, jitted."""

import math

import jax
import jax._src.source_info_util
import jax.core
import jax.interpreters.ad
import jax.interpreters.pxla
import jax.numpy as jnp
import numpy as np

# Structured derivatives look for these two where jax 0.4.35 no longer has them.
jax.interpreters.ad.source_info_util = jax._src.source_info_util
jax.interpreters.ad.config = jax.config

import neural_tangents as nt  # noqa: E402
from neural_tangents import stax  # noqa: E402

IMPLEMENTATIONS = {
    "structured derivatives": nt.NtkImplementation.STRUCTURED_DERIVATIVES,
    "NTK-vector products": nt.NtkImplementation.NTK_VECTOR_PRODUCTS,
}


def network(inputs: int, width: int, depth: int):
    """A perceptron of ``depth`` weight layers whose first one is not scaled: inputs have unit norm."""
    layers = [stax.Dense(width if depth > 1 else 1, W_std=math.sqrt(inputs))]
    for layer in range(2, depth + 1):
        layers += [stax.Relu(), stax.Dense(width if layer < depth else 1, W_std=math.sqrt(2))]
    return stax.serial(*layers)


def empirical(folder: str, implementation: str):
    """The work: the empirical kernel of given weights at given inputs; it answers with the kernel's file."""
    x = jnp.asarray(np.load(f"{folder}/x.npy"))
    weights = [np.load(f"{folder}/weights-{layer}.npy") for layer in (1, 2, 3)]
    _, apply, _ = network(x.shape[1], len(weights[0]), 3)
    # neural-tangents keeps W^T and no bias, and a ReLU has no parameters.
    first, second, third = ((jnp.asarray(w.T), None) for w in weights)
    params = [first, (), second, (), third]
    kernel = jax.jit(
        nt.empirical_ntk_fn(apply, vmap_axes=0, trace_axes=(-1,), implementation=IMPLEMENTATIONS[implementation])
    )
    return _work(lambda: kernel(x, None, params), folder)


def analytic(folder: str, depth: int, dtype: str):
    """The work: the analytic kernel at given inputs in a given precision; it answers with the kernel's file."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    x = jnp.asarray(np.load(f"{folder}/x.npy").astype(dtype))
    kernel = network(x.shape[1], 1, depth)[2]
    compute = jax.jit(lambda x: kernel(x, None, "ntk"))
    return _work(lambda: compute(x), folder)


def _work(compute, folder: str):
    def work():
        found = compute().block_until_ready()

        def keep() -> str:  # off the clock
            np.save(f"{folder}/kernel.npy", np.asarray(found))
            return f"{folder}/kernel.npy"

        return keep

    return work
