"""Gradient descent on deep networks in the coordinates of the sample: the same, at a cost that d does not enter.

The gradient in W_1 lies in the span of the n training inputs. So training takes place in the coordinates of an
orthonormal basis Q of this span, whatever the dimension d: W_1 Q is trained on the inputs X Q, and W_1 moves by as much
as W_1 Q does, times Q^T. What of W_1 the sample does not see, weight decay shrinks step by step all the same. This is
the trajectory of ``train.deep``, to rounding.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from benign.networks.deep import Deep, Layers
from benign.train import deep
from benign.train.history import Trained


def train(
    start: Deep,
    xs: Sequence[Tensor],
    labels: Sequence[Tensor],
    *,
    step_size: Tensor | float | int,
    weight_decay: Tensor | float | int = 0,
    layers: Layers = "all",
    device: str = "cpu",
    **options: object,
) -> tuple[Trained, list[Deep]]:
    """What training recorded, in coordinates, and the trained networks on R^d, each a batch of one.

    ``start`` is a batch of networks, ``xs`` and ``labels`` have the inputs, shape (n, d), and labels, shape (n,), of
    each. Options and errors are those of ``train.deep.train``.
    """
    chosen = start.chosen(layers)
    bases = [torch.linalg.qr(x.mT.contiguous()).Q for x in xs]
    # Copies: the last bits of a product depend on where its factors begin in memory.
    visible = torch.stack([w.clone() @ basis for w, basis in zip(start.weights[0], bases, strict=True)])
    trained = deep.train(
        Deep((visible, *start.weights[1:]), start.activation, start.parameterisation).to(device),
        torch.stack([x @ basis for x, basis in zip(xs, bases, strict=True)]).to(device),
        torch.stack(list(labels)).to(device),
        step_size=step_size,
        weight_decay=weight_decay,
        layers=chosen,
        **options,
    )
    # The share of its start that decay has left of what no training input sees; 1 without decay.
    kept = 1 - deep.per_layer(step_size, start)[:, 0] * deep.decay(weight_decay, start)
    left = kept ** (trained.steps.cpu() if 1 in chosen else 0)
    after, finished = trained.network.to("cpu"), []
    for index, (basis, share) in enumerate(zip(bases, left, strict=True)):
        moved = share * start.weights[0][[index]] + (after.weights[0][index] - share * visible[index]) @ basis.mT
        finished.append(
            Deep((moved, *[w[[index]] for w in after.weights[1:]]), start.activation, start.parameterisation)
        )
    return trained, finished
