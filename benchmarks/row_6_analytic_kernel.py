"""Row 6: the analytic tangent kernel against neural-tangents, in time and in peak memory."""

import tempfile
from pathlib import Path

import harness
import numpy as np
import torch
from row import Agreement, Comparison, Row, ratio_of_times
from row_5_empirical_kernel import unit_vectors

from benign.ntk import analytic

#: Largest differences allowed, of the largest entry; close to an angle of 0 theirs loses half of its digits.
ALLOWED = {"float64": 1e-6, "float32": 1e-2}


def ours(n: int, d: int, depth: int):
    """The work in a process of its own, whose memory is measured."""
    x = unit_vectors(n, d)
    return lambda: (analytic.kernel(x, depth=depth), None)[1]


def measure(options: harness.Options) -> Row:
    n, d = (8, 6) if options.quick else (4000, 784)
    cases = [(depth, dtype) for dtype in ("float64", "float32") for depth in (3, 10)]
    comparisons = [part for depth, dtype in cases for part in compare(n, d, depth, dtype, options)]
    return Row(
        6, f"analytic kernel, n = {n}, d = {d}, ours in float64", "neural-tangents, jitted", comparisons,
        note="neural-tangents in float64, as ours, and in float32, its default, in which an entry is half as large",
    )  # fmt: skip


def compare(n: int, d: int, depth: int, dtype: str, options: harness.Options) -> list[Comparison]:
    x = unit_vectors(n, d).to(options.device)
    candidates, agreement, peaks = {"benign": lambda: analytic.kernel(x, depth=depth)}, None, {}
    repetitions = 2 if options.quick else 7
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "x.npy"), x.cpu().numpy())
        if options.peers:
            asked = {"folder": folder, "depth": depth, "dtype": dtype}
            with harness.Peer("peers.kernels_jax:analytic", device=options.device, **asked) as peer:
                seconds = harness.interleaved(candidates | {"neural-tangents": peer}, repetitions)
                theirs = torch.from_numpy(np.load(peer.result)).double()
            apart = float((candidates["benign"]().cpu() - theirs).abs().max() / theirs.max())
            agreement = Agreement("largest difference, of the largest entry", apart, ALLOWED[dtype])
            python, target = harness.peers_python(), "peers.kernels_jax:analytic"
            peaks["neural-tangents"] = [harness.peak_memory(target, python, options.device, **asked)]
        else:
            seconds = harness.interleaved(candidates, repetitions)
    case = f"{depth} layers, theirs in {dtype}"
    times = ratio_of_times(
        f"time, {case}", ">= 1", seconds, over="neural-tangents", under="benign", agreement=agreement
    )
    if options.device != "cpu":
        return [times]
    peaks["benign"] = [harness.peak_memory("row_6_analytic_kernel:ours", n=n, d=d, depth=depth)]
    ratios = [peaks["neural-tangents"][0] / peaks["benign"][0]] if options.peers else []
    return [times, Comparison(f"peak memory, {case}", ">= 2", ratios, peaks, unit="B")]


if __name__ == "__main__":
    harness.main(measure)
