"""Row 2: span training against gradient descent in R^p by JAX, with vmap over the runs, jit, fori_loop and grad."""

import tempfile
from pathlib import Path

import harness
import numpy as np
import torch
from problem import SLOPE, TINY, Sizes, disagreement, draw
from row import Agreement, Row, ratio_of_times


def measure(options: harness.Options) -> Row:
    sizes, p = (TINY, 50) if options.quick else (Sizes(), 20_000)
    some_steps, repetitions = (2, 2) if options.quick else (5, 7)
    problem = draw(sizes, p, device=options.device)
    candidates = {"span": lambda: problem.train(sizes.steps)}
    agreement = None
    if options.peers:
        network = problem.network
        tensors = {"x": problem.x, "labels": problem.labels, "signs": network.signs, "weights": network.weights}
        with tempfile.TemporaryDirectory() as folder:
            for name, tensor in tensors.items():
                np.save(Path(folder, f"{name}.npy"), tensor.cpu().numpy())
            settings = {"folder": folder, "slope": SLOPE, "step_size": problem.step_size, "steps": some_steps}
            peer = harness.Peer("peers.two_layer_jax:prepare", device=options.device, **settings)
        with peer:
            seconds = harness.interleaved(candidates | {"JAX": peer}, repetitions)
            taken = (1 + repetitions) * some_steps
            apart = disagreement(problem.train(taken).final["loss"], torch.tensor(peer.result))
        agreement = Agreement(f"largest relative difference of a run's losses after {taken} steps", apart, 1e-3)
    else:
        seconds = harness.interleaved(candidates, repetitions)
    comparison = ratio_of_times(
        "from X, W_0 and labels to the outputs",
        ">= 150",
        seconds,
        over="JAX",
        under="span",
        scale=sizes.steps / some_steps,
        extrapolated_from=f"{some_steps} of {sizes.steps} steps by JAX" if options.peers else None,
        agreement=agreement,
        flop={"span": sizes.flop, "JAX": 4 * sizes.runs * sizes.n * sizes.width * p * some_steps},
    )
    return Row(2, f"{sizes}, p = {p:,}, float32, as in row 1", "JAX: vmap, jit, fori_loop, grad in R^p", [comparison])


if __name__ == "__main__":
    harness.main(measure)
