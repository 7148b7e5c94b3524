"""An upper bound of the Lipschitz constant of deep networks, by semidefinite relaxation.

If the activation has slopes between gamma and 1, then for two inputs the differences u_l of pre-activations and h_l of
their images satisfy (h_l - gamma u_l)_j (u_l - h_l)_j >= 0 for every neuron j. Give these inequalities any weights, a
positive diagonal matrix T_l a layer. The network is rho-Lipschitz if, for all h_0, ..., h_{L-1} and u_l = W_l h_{l-1},

    rho^2 ||h_0||^2 - (W_L h_{L-1})^2 - 2 sum_l (h_l - gamma u_l)^T T_l (u_l - h_l) >= 0

(LipSDP, Fazlyab, Robey, Hassani, Morari and Pappas 2019). The form is eliminated layer by layer, as Xu and Sivaranjani
(2024) do: with M_0 = 1 and K_l = T_l^(1/2) W_l M_{l-1}^-1 W_l^T T_l^(1/2),

    M_l = T_l^(1/2) (2 - (1 + gamma)^2 K_l (1 + 2 gamma K_l)^-1) T_l^(1/2),    rho^2 = W_L M_{L-1}^-1 W_L^T,

where (1 - gamma)^2 K_l < 2, so that M_l is positive definite. Every T that keeps to this is a certificate, and the best
one is looked for. The first try, K_l of norm one, is better than the product of norms already. For two layers the best
is the dual of the relaxation in ``two_layer_lipschitz``.
"""

import numpy as np
import torch
from jaxtyping import Float64
from scipy.sparse.linalg import eigsh
from torch import Tensor

from benign.networks.deep import Deep


def certified(network: Deep, steps: int = 8) -> Float64[Tensor, " runs"]:
    """An upper bound for a non-decreasing, 1-Lipschitz activation, from so many steps of L-BFGS on log rho.

    It is a true one after any number of steps.
    """
    family, parameters = network.activation.family, network.activation.parameters
    gamma = parameters[0] if family == "two slopes" else 0.0
    found = []
    for run in range(len(network.weights[0])):
        weights = [s * w[run] for s, w in zip(network.multipliers, network.weights, strict=True)]
        search = _Multipliers(weights, gamma)
        search.improve(steps)
        found.append(search.log_bound(certain=True).exp())
    return torch.stack(found)


class _Multipliers:
    """The matrices T_l of one network: exp(shape_l) on the diagonal, and the logistic share of the largest factor."""

    def __init__(self, weights: list[Tensor], gamma: float) -> None:
        self.weights, self.gamma = weights, gamma
        self.shapes = [w.new_zeros(len(w), requires_grad=True) for w in weights[:-1]]
        self.shares = [w.new_zeros((), requires_grad=True) for w in weights[:-1]]
        self.tops = [np.ones(len(w)) for w in weights[:-1]]  # near the first eigenvectors of K_l

    def improve(self, steps: int) -> None:
        parameters = [*self.shapes, *self.shares]
        if not steps or not parameters:
            return
        optimiser = torch.optim.LBFGS(parameters, max_iter=steps, history_size=20, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            optimiser.zero_grad()
            value = self.log_bound()
            value.backward()
            return value

        optimiser.step(closure)

    def log_bound(self, certain: bool = False) -> Tensor:
        """The logarithm of rho. The norms of the K_l are those of all eigenvalues if it is to be ``certain``."""
        with torch.set_grad_enabled(not certain):
            below, gamma = None, self.gamma
            for layer, (w, shape, share) in enumerate(zip(self.weights, self.shapes, self.shares, strict=False)):
                scaled = (shape / 2).exp().unsqueeze(1) * w
                if below is not None:
                    scaled = torch.linalg.solve_triangular(below, scaled.mT, upper=False).mT
                k = scaled @ scaled.mT
                largest = torch.linalg.eigvalsh(k)[-1] if certain else self._largest(layer, k)
                factor = 2 * torch.sigmoid(share) / max((1 - gamma) ** 2, 0.01) / largest
                one = torch.eye(len(k), dtype=k.dtype)
                k = factor * k
                shrunk = torch.linalg.solve(one + 2 * gamma * k, k) if gamma else k
                root = (shape / 2).exp() * factor.sqrt()
                below = torch.linalg.cholesky(root.unsqueeze(1) * (2 * one - (1 + gamma) ** 2 * shrunk) * root)
            last = self.weights[-1].mT
            if below is not None:
                last = torch.linalg.solve_triangular(below, last, upper=False)
            return last.square().sum().log() / 2

    def _largest(self, layer: int, k: Tensor) -> Tensor:
        """The largest eigenvalue with its derivative, by Lanczos' method from the last eigenvector."""
        _, top = eigsh(k.detach().numpy(), k=1, v0=self.tops[layer], tol=1e-9)
        self.tops[layer] = top[:, 0]
        top = torch.from_numpy(top[:, 0])
        return top @ k @ top
