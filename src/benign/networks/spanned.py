"""Two-layer networks W = W_0 + C X, known by their coefficients C in the span of a training sample."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from benign.data.grams import Points
from benign.networks.activations import Activation
from benign.networks.two_layer import read_out


@dataclass(frozen=True)
class Spanned:
    """The functions f_W with W = W_0 + C X, one for each run of a batch, at points given by inner products.

    ``coefficients`` are C, shape (runs, m, n); ``signs`` the frozen a_j = +-1, shape (runs, m).
    """

    coefficients: Float[Tensor, "runs m n"]
    signs: Float[Tensor, "runs m"]
    activation: Activation

    def __call__(self, points: Points) -> Float[Tensor, "runs k"]:
        """The outputs f_W(x') at k points, from <x_i, x'> and <w_j(0), x'>."""
        return read_out(self.signs, self.activation(points.weights + self.coefficients @ points.inputs))

    def select(self, rows: Tensor) -> "Spanned":
        """Some of the networks."""
        return Spanned(self.coefficients[rows], self.signs[rows], self.activation.select(rows))
