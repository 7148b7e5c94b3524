"""Training with a fixed kernel: the linearised network under gradient flow on the squared loss.

Convention: the loss is (1/2n) sum_i (f(x_i) - y_i)^2, with the mean over the sample, so a step of gradient descent
with the step size a is the time a. (On the sum (1/2) sum_i the same happens n times faster.) With the kernel K, the
matrix K of the training inputs and k(x) = (K(x_1, x), ..., K(x_n, x)), the flow has the solution

    y - f_t(X) = exp(-t K / n) (y - f_0(X)),    f(x) = f_0(x) + a(x)^T (y - f_0(X)),    a(x) = K^{-1} k(x)

on the sample at the time t and everywhere at the end, t = infinity (Jacot, Gabriel & Hongler 2018, section 5; Lee et
al. 2019, section 2.2). Kernel regression is f_0 = 0.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from benign.errors import InputError


@dataclass(frozen=True)
class Split:
    """The three parts of an expected squared error, each of shape (..., k): their sum is the error."""

    bias: Float64[Tensor, "*runs k"]
    label_noise: Float64[Tensor, "*runs k"]
    initialisation: Float64[Tensor, "*runs k"]


@dataclass(frozen=True)
class Factored:
    """A kernel matrix K = V diag(lambda) V^T of a training sample, or of one for each run: factored once, used often.

    ``eigenvalues`` lambda ascend, shape (..., n); ``eigenvectors`` are the columns of V, shape (..., n, n).
    """

    eigenvalues: Float64[Tensor, "*runs n"]
    eigenvectors: Float64[Tensor, "*runs n n"]

    @property
    def smallest_eigenvalue(self) -> Float64[Tensor, "*runs"]:
        """The smallest eigenvalue of K, on which the time to interpolation and the noise amplification depend."""
        return self.eigenvalues[..., 0]

    def residuals(self, initial: Float64[Tensor, "*runs n"], time: float | int) -> Float64[Tensor, "*runs n"]:
        """The residuals y - f_t(X) on the training sample, from those at time 0, y - f_0(X).

        Raises:
            InputError: a negative time.
        """
        if not time >= 0:
            raise InputError(f"time is {time}: gradient flow starts at time 0")
        decay = torch.exp(-time / self.eigenvalues.shape[-1] * self.eigenvalues)
        return _apply(self.eigenvectors, decay, initial)

    def coefficients(self, residuals: Float64[Tensor, "*runs n"]) -> Float64[Tensor, "*runs n"]:
        """The vector c = K^{-1} (y - f_0(X)), for which f = f_0 + sum_i c_i K(x_i, .) at the end.

        Raises:
            InputError: a singular K.
        """
        return _apply(self.eigenvectors, self._inverse(), residuals)

    def predict(
        self,
        cross: Float64[Tensor, "*#runs k n"],
        labels: Float64[Tensor, "*#runs n"],
        *,
        initial: tuple[Float64[Tensor, "*#runs k"], Float64[Tensor, "*#runs n"]] | None = None,
    ) -> Float64[Tensor, "*_ k"]:
        """The outputs f(x) at k inputs at the end, from the kernel ``cross`` between these and the training inputs.

        ``initial`` holds f_0 at the k inputs and at the training inputs; without it f_0 = 0.

        Raises:
            InputError: a singular K.
        """
        start, start_on_sample = (0, 0) if initial is None else initial
        coefficients = self.coefficients(labels - start_on_sample)
        return start + (cross @ coefficients.unsqueeze(-1)).squeeze(-1)

    def influence(self, cross: Float64[Tensor, "*runs k n"]) -> Float64[Tensor, "*runs k n"]:
        """The rows a(x), the derivatives of f(x) in the labels, at the k inputs of the kernel ``cross``.

        Raises:
            InputError: a singular K.
        """
        return ((cross @ self.eigenvectors) * self._inverse().unsqueeze(-2)) @ self.eigenvectors.mT

    def split(
        self,
        cross: Float64[Tensor, "*#runs k n"],
        *,
        target: tuple[Float64[Tensor, "*#runs k"], Float64[Tensor, "*#runs n"]],
        noise_variance: float | int,
        sigma: Float64[Tensor, "*#runs n n"],
        sigma_cross: Float64[Tensor, "*#runs k n"],
        sigma_diagonal: Float64[Tensor, "*#runs k"],
    ) -> Split:
        """The expected squared error E (f(x) - g(x))^2 at k inputs, over label noise and initialisation.

        The labels are g(X) plus independent noise, f_0 is a centred Gaussian process with covariance Sigma:

            bias             (a(x)^T g(X) - g(x))^2
            label noise      noise_variance ||a(x)||^2
            initialisation   Sigma(x, x) - 2 a(x)^T Sigma(X, x) + a(x)^T Sigma(X, X) a(x)

        ``target`` holds g at the k inputs and at the training inputs; ``sigma``, ``sigma_cross`` and
        ``sigma_diagonal`` hold Sigma(X, X), Sigma(x, X) and Sigma(x, x), as ``ntk.analytic`` gives them.

        Raises:
            InputError: a singular K.
        """
        a = self.influence(cross)
        at_inputs, on_sample = target
        return Split(
            bias=((a @ on_sample.unsqueeze(-1)).squeeze(-1) - at_inputs).square(),
            label_noise=noise_variance * a.square().sum(-1),
            initialisation=sigma_diagonal + (a * (a @ sigma - 2 * sigma_cross)).sum(-1),
        )

    def _inverse(self) -> Tensor:
        """The numbers 1 / lambda."""
        least, largest, n = self.eigenvalues[..., 0], self.eigenvalues[..., -1], self.eigenvalues.shape[-1]
        if (singular := least <= _rounding(largest, n)).any():
            raise InputError(
                f"the kernel matrix is singular to rounding: of n = {n} eigenvalues the smallest is "
                f"{least[singular][0].item():.3g} and the largest {largest[singular][0].item():.3g}. Remove inputs "
                "that are multiples of one another, or of zero length, or take a wider network if the kernel is an "
                "empirical one"
            )
        return 1 / self.eigenvalues


def factor(kernel: Float64[Tensor, "*runs n n"]) -> Factored:
    """The eigendecomposition of a symmetric, positive semidefinite kernel matrix, or of one for each run.

    Eigenvalues that are negative by rounding are set to zero.

    Raises:
        InputError: a matrix with an entry that is not finite, or that is not symmetric, or not positive semidefinite.
    """
    scale = kernel.abs().amax((-2, -1), keepdim=True)
    if not scale.isfinite().all():
        raise InputError("the kernel matrix has an entry that is not finite: look for one in the inputs or weights")
    if ((kernel - kernel.mT).abs() > 1e-10 * scale).any():
        raise InputError("the kernel matrix is not symmetric: give that of the training inputs with themselves")
    eigenvalues, eigenvectors = torch.linalg.eigh(kernel)
    least, n = eigenvalues[..., 0], kernel.shape[-1]
    if (negative := least < -_rounding(eigenvalues[..., -1], n)).any():
        raise InputError(
            f"the kernel matrix has the eigenvalue {least[negative][0].item():.3g}: a kernel has none below zero"
        )
    return Factored(eigenvalues.clamp(min=0), eigenvectors)


def _rounding(largest: Tensor, n: int) -> Tensor:
    """The size up to which an eigenvalue of an n x n matrix may be rounding alone."""
    return 10 * n * torch.finfo(largest.dtype).eps * largest.abs()


def _apply(eigenvectors: Tensor, values: Tensor, vector: Tensor) -> Tensor:
    """V diag(values) V^T vector."""
    return (eigenvectors @ (values.unsqueeze(-1) * (eigenvectors.mT @ vector.unsqueeze(-1)))).squeeze(-1)
