"""Row 8: the resident memory of row 1's training and of a streamed experiment in 10^6 dimensions."""

import harness
from problem import LABEL_NOISE, SLOPE, TINY, Sizes, draw, signal
from row import Comparison, Row

from benign.data import noises, streamed
from benign.data.grams import stack
from benign.networks.activations import leaky_relu
from benign.networks.two_layer import output_signs
from benign.theory import xu2023
from benign.train import span
from livingpaper.errors import PaperError

LAW = "rademacher"


def training(p: int, weights: bool, **sizes: int):
    """Row 1: draw X, W_0 and labels in R^p, then train; form the trained weights too, or leave it at the outputs."""
    problem = draw(Sizes(**sizes), p)

    def work() -> None:
        trained = problem.train(sizes["steps"])
        if weights:
            _ = trained.network

    return work


def experiment(p: int, test_points: int, **sizes: int):
    """A run in R^p with noise that has no reduced frame: sample block by block, train on Grams, count the errors."""
    size = Sizes(**sizes)

    def work() -> float:
        sample = streamed.sample(
            size.n, p, signal(size, p), LABEL_NOISE, 0,
            noise=noises.named(LAW), directions=size.width, test_points=test_points,
        )  # fmt: skip
        scale = xu2023.initial_scale(size.n, p, size.width)
        trained = span.train_on_grams(
            stack([sample.grams.scaled(scale)]), output_signs(size.width, 0).unsqueeze(0), leaky_relu(SLOPE),
            sample.labels.unsqueeze(0), step_size=xu2023.step_size(size.n, p), steps=size.steps,
        )  # fmt: skip
        outputs = trained.network(stack([sample.test.scaled(scale)]))[0]
        return float((sample.test_labels * outputs <= 0).double().mean())

    return work


def measure(options: harness.Options) -> Row:
    if options.device != "cpu":
        raise PaperError("row 8 measures the memory of the processor: leave out --device")
    sizes, p, test_points, repetitions = (TINY, 50, 50, 1) if options.quick else (Sizes(), 20_000, 1000, 2)
    one, large = Sizes(1, sizes.n, sizes.width, sizes.steps), 1000 if options.quick else 10**6
    vectors = 4 * sizes.runs * (sizes.n + sizes.width) * p / 1e6
    points = 8 * (sizes.n + sizes.width + test_points) * large / 1e6
    row_1, inputs = f"row 1: {sizes}, p = {p:,}", f"X and W_0 are {vectors:,.0f} MB of it"
    stream = f"streamed: {one}, p = {large:,}, {LAW} noise, {test_points:,} test points"
    measured = [
        compare(row_1, "<= 1", 2**30, repetitions, "training", inputs, p=p, weights=False, **vars(sizes)),
        compare(
            f"{row_1}, with the weights in R^p formed", None, 2**30, repetitions, "training",
            inputs, p=p, weights=True, **vars(sizes),
        ),
        compare(
            stream, "<= 1", 2**27, repetitions, "experiment", f"the vectors themselves would fill {points:,.0f} MB",
            p=large, test_points=test_points, **vars(one),
        ),
    ]  # fmt: skip
    return Row(8, "peak resident memory beyond the imports, inputs included", "a budget", measured)


def compare(
    case: str, aim: str | None, budget: int, repetitions: int, target: str, note: str, **arguments: int | bool
) -> Comparison:
    peaks = [harness.peak_memory(f"row_8_memory:{target}", **arguments) for _ in range(repetitions)]
    case = f"{case}, in units of {budget / 2**20:,.0f} MiB"
    return Comparison(case, aim, [peak / budget for peak in peaks], {"peak": peaks}, unit="B", note=note)


if __name__ == "__main__":
    harness.main(measure)
