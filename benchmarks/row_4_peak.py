"""Row 4: the step loop of span training against the float32 matrix-product peak of the machine, in turns."""

import harness
import torch
from problem import Sizes, draw
from row import Comparison, Row


def measure(options: harness.Options) -> Row:
    sizes = [Sizes(runs=2, n=n, width=16, steps=5) if options.quick else Sizes(32, n, 512, 500) for n in (100, 200)]
    products = (64,) if options.quick else harness.LARGE[options.device]
    return Row(
        4,
        f"{sizes[0].runs} runs, m = {sizes[0].width}, {sizes[0].steps} steps, float32: the rate of the products C G",
        "the matrix-product peak",
        [compare(size, products, 2 if options.quick else 7, options.device) for size in sizes],
        note="all else in a step, and the Gram matrices at the start, take time and count as no operation",
    )


def compare(sizes: Sizes, products: tuple[int, ...], repetitions: int, device: str) -> Comparison:
    # The dimension is of no consequence for the steps: the least that leaves the sample in general position.
    problem = draw(sizes, sizes.n + sizes.width + 1, "reduced", device)
    flop = {"span": sizes.flop} | {f"product of size {size}": 2 * size**3 for size in products}
    candidates = {"span": lambda: problem.train(sizes.steps)}
    candidates |= {f"product of size {size}": harness.matrix_product(torch.float32, size, device) for size in products}
    seconds = harness.interleaved(candidates, repetitions)
    rates = {name: [flop[name] / time for time in times] for name, times in seconds.items()}
    span = rates.pop("span")
    shares = [ours / max(peaks) for ours, *peaks in zip(span, *rates.values(), strict=True)]
    return Comparison(f"n = {sizes.n}", ">= 0.6", shares, seconds, flop=flop)


if __name__ == "__main__":
    harness.main(measure)
