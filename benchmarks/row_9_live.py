"""Row 9: gradient descent in the browser, by the live experiment's engine, against span training on one thread."""

from collections.abc import Callable
from pathlib import Path

import harness
import torch
from playwright.sync_api import Page, sync_playwright
from row import Agreement, Comparison, Row, ratio_of_times

from benign.data import mixtures
from benign.data.grams import Grams
from benign.networks.activations import relu
from benign.networks.two_layer import output_signs
from benign.theory import xu2023
from benign.train import history, span
from livingpaper.publish.pdf import launch_options

ENGINE = Path(__file__).parents[1] / "chapters" / "live" / "engine.js"
P, SIGNAL, LABEL_NOISE = 20_000, 9.0, 0.2  # the page's first setting, as are n = 40 and m = 64

LOAD = """async text => {
    window.engine = await import("data:text/javascript;base64," + btoa(unescape(encodeURIComponent(text))));
}"""
SET = """problem => {
    for (const name in problem) if (Array.isArray(problem[name])) problem[name] = Float64Array.from(problem[name]);
    window.problem = problem;
}"""
TRAIN = """steps => {
    const start = performance.now(), descent = new engine.Descent(problem);
    while (descent.steps < steps) descent.step();
    return {seconds: (performance.now() - start) / 1000, loss: descent.loss()};
}"""
EXPERIMENT = """setting => {
    const start = performance.now(), pieces = engine.experiment(setting);
    while (!pieces.next().done);
    return {seconds: (performance.now() - start) / 1000};
}"""


class Training:
    """The training problem of one network of width m on n samples, for both sides."""

    def __init__(self, n: int, m: int, steps: int):
        self.n, self.m, self.steps = n, m, steps
        sample = mixtures.sample(n, P, SIGNAL, LABEL_NOISE, 0, directions=m)
        self.grams = Grams.of(sample.x[None], xu2023.initial_scale(n, P, m, 1.0) * sample.directions[None])
        self.signs, self.labels = output_signs(m, 0)[None], sample.labels[None]
        self.step_size = xu2023.step_size(n, P, 1.0)

    @property
    def flop(self) -> int:
        """Floating-point operations of the products C G."""
        return 2 * self.m * self.n**2 * self.steps

    def in_python(self) -> float:
        """Train on one thread; the loss at the end."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            trained = span.train_on_grams(
                self.grams, self.signs, relu(), self.labels,
                step_size=self.step_size, steps=self.steps, observe={"loss": history.loss},
            )  # fmt: skip
        finally:
            torch.set_num_threads(threads)
        return float(trained.final["loss"])

    def in_browser(self, page: Page) -> Callable[[], harness.Seconds]:
        """A candidate that trains in a page and times itself there."""
        numbers = {
            "inputs": self.grams.inputs, "cross": self.grams.cross, "signs": self.signs, "labels": self.labels,
            "squaredNorms": self.grams.weights.diagonal(dim1=1, dim2=2),
        }  # fmt: skip
        problem = {name: tensor.flatten().tolist() for name, tensor in numbers.items()}
        problem |= {"slope": 0, "stepSize": self.step_size}

        def train() -> harness.Seconds:
            page.evaluate(SET, problem)
            said = page.evaluate(TRAIN, self.steps)
            self.loss_in_browser = said["loss"]
            return harness.Seconds(said["seconds"])

        return train


def compare(training: Training, page: Page | None, repetitions: int) -> Comparison:
    candidates = {"span": training.in_python} | ({"page": training.in_browser(page)} if page else {})
    seconds = harness.interleaved(candidates, repetitions)
    agreement = None
    if page:
        loss = training.in_python()
        apart = abs(training.loss_in_browser - loss) / loss
        agreement = Agreement(f"relative difference of the losses after {training.steps} steps", apart, 1e-9)
    return ratio_of_times(
        f"n = {training.n}, m = {training.m}, {training.steps} steps", None, seconds, over="span", under="page",
        agreement=agreement, flop=dict.fromkeys(candidates, training.flop),
        note=f"{_rates(seconds, training.steps)} steps a second",
    )  # fmt: skip


def _rates(seconds: dict[str, list[float]], steps: int) -> str:
    return ", ".join(f"{name} {steps / sorted(times)[len(times) // 2]:,.0f}" for name, times in seconds.items())


def whole(page: Page, repetitions: int) -> Comparison:
    """The page's first experiment, from the random numbers to the test errors at all steps."""
    setting = {
        "n": 40, "p": P, "signal": SIGNAL, "labelNoise": LABEL_NOISE, "slope": 0, "width": 64, "step": 1,
        "initScale": 1, "steps": 1000, "seed": 1,
    }  # fmt: skip
    seconds = harness.interleaved(
        {"page": lambda: harness.Seconds(page.evaluate(EXPERIMENT, setting)["seconds"])}, repetitions
    )
    return Comparison("the page's first experiment, sampling and tests included", None, [], seconds)


def measure(options: harness.Options) -> Row:
    sizes, steps, repetitions = ([(8, 4)], 20, 2) if options.quick else ([(40, 64), (100, 128)], 1000, 9)
    trainings = [Training(n, m, steps) for n, m in sizes]
    if not options.peers:
        comparisons = [compare(training, None, repetitions) for training in trainings]
    else:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_options())
            page = browser.new_page()
            page.evaluate(LOAD, ENGINE.read_text())
            comparisons = [compare(training, page, repetitions) for training in trainings] + [whole(page, repetitions)]
            browser.close()
    return Row(
        9,
        f"one network, p = {P:,}, float64, two-layer ReLU, in headless Chromium: JavaScript, one thread",
        "train.span on one thread, one run at a time",
        comparisons,
    )


if __name__ == "__main__":
    harness.main(measure)
