"""Row 5: the empirical tangent kernel of a deep network against neural-tangents."""

import dataclasses
import tempfile
from pathlib import Path

import harness
import numpy as np
import torch
from row import Agreement, Comparison, Row, ratio_of_times

from benign.networks.activations import relu
from benign.networks.deep import initialise
from benign.ntk import empirical
from benign.seeds import generator

AIMS = {"structured derivatives": ">= 2", "NTK-vector products": ">= 100"}


def unit_vectors(n: int, d: int) -> torch.Tensor:
    """n independent points, uniform on the sphere of R^d."""
    x = torch.tensor(generator(0, "benchmark inputs").standard_normal((n, d)))
    return x / x.norm(dim=1, keepdim=True)


def measure(options: harness.Options) -> Row:
    sizes, d, width = ((8,), 6, 16) if options.quick else ((500, 2000), 784, 512)
    # NTK-vector products only at the smaller size: at the larger one a repetition takes minutes, and the ratio grows.
    cases = [(n, "structured derivatives") for n in sizes] + [(sizes[0], "NTK-vector products")]
    comparisons = [compare(n, d, width, implementation, options) for n, implementation in cases]
    return Row(
        5, f"empirical kernel, 3 layers, width {width}, d = {d}, float32", "neural-tangents, jitted", comparisons
    )


def compare(n: int, d: int, width: int, implementation: str, options: harness.Options) -> Comparison:
    double = initialise((d, width, width, 1), [0], relu())
    single = dataclasses.replace(double, weights=tuple(w.float() for w in double.weights))
    networks = {"benign": single, "benign, float64": double}
    points = {"benign": unit_vectors(n, d).float(), "benign, float64": unit_vectors(n, d)}
    device = options.device
    candidates = {
        name: lambda name=name: empirical.kernel(on(networks[name], device), points[name].to(device))
        for name in networks
    }
    case, agreement = f"n = {n}, {implementation}", None
    slow = implementation == "NTK-vector products"
    repetitions = 2 if options.quick or slow else 9
    if not options.peers:
        seconds = harness.interleaved(candidates, repetitions)
    else:
        with tempfile.TemporaryDirectory() as folder:
            np.save(Path(folder, "x.npy"), points["benign"].numpy())
            for layer, weights in enumerate(single.weights, start=1):
                np.save(Path(folder, f"weights-{layer}.npy"), weights[0].numpy())
            peer = harness.Peer(
                "peers.kernels_jax:empirical", device=device, folder=folder, implementation=implementation
            )
            with peer:
                seconds = harness.interleaved(candidates | {"neural-tangents": peer}, repetitions)
                theirs = torch.from_numpy(np.load(peer.result)).double()
        ours = candidates["benign"]()[0].cpu().double()
        agreement = Agreement(
            "largest difference, of the largest entry", float((ours - theirs).abs().max() / theirs.max()), 1e-2
        )
    return ratio_of_times(
        case, AIMS[implementation], seconds, over="neural-tangents", under="benign", agreement=agreement,
        note=f"in float64 ours takes {np.median(seconds['benign, float64']):.3g} s",
    )  # fmt: skip


def on(network, device: str):
    """The network on a device."""
    return dataclasses.replace(network, weights=tuple(w.to(device) for w in network.weights))


if __name__ == "__main__":
    harness.main(measure)
