"""Row 3: from sampling to test error at p = 10^3, ..., 10^9: the cost does not depend on the dimension."""

from functools import partial
from statistics import mean

import harness
from problem import TINY, Sizes, draw, signal
from row import Row, ratio_of_times

from benign.measure import errors
from benign.networks.two_layer import TwoLayer

FIRST, LAST = 3, 9  # powers of ten


def experiment(sizes: Sizes, p: int, test_points: int, device: str) -> list[float]:
    """Sample, train, and estimate the test error of every run."""
    network = draw(sizes, p, "reduced", device).train(sizes.steps).network.to("cpu")
    network = TwoLayer(network.weights.double(), network.signs.double(), network.activation)
    return [
        float((errors.fresh_margins(network.alone(run), signal(sizes, p), run, test_points)[0] <= 0).double().mean())
        for run in range(sizes.runs)
    ]


def measure(options: harness.Options) -> Row:
    sizes, test_points, repetitions = (TINY, 50, 2) if options.quick else (Sizes(), 10_000, 5)
    found = {}

    def candidate(power: int) -> None:
        found[power] = mean(experiment(sizes, 10**power, test_points, options.device))

    powers = range(FIRST, LAST + 1)
    seconds = harness.interleaved({f"p = 10^{power}": partial(candidate, power) for power in powers}, repetitions)
    return Row(
        3,
        f"{sizes}, float32, from sampling (reduced frame) to the test error at {test_points:,} points a run",
        f"itself at p = 10^{FIRST}",
        [
            ratio_of_times(
                f"p = 10^{power}",
                "<= 1.2",
                seconds,
                over=f"p = 10^{power}",
                under=f"p = 10^{FIRST}",
                note=f"mean test error {found[power]:.2%}, and {found[FIRST]:.2%} at p = 10^{FIRST}",
            )
            for power in powers[1:]
        ],
    )


if __name__ == "__main__":
    harness.main(measure)
