"""Gradient descent on deep networks in the coordinates of the sample: the same, at a cost that d does not enter.

The gradient in W_1 lies in the span of the n training inputs. So training takes place in the coordinates of an
orthonormal basis Q of this span, whatever the dimension d: W_1 Q is trained on the inputs X Q, and W_1 moves by as much
as W_1 Q does, times Q^T. What of W_1 the sample does not see, weight decay shrinks step by step all the same. This is
the trajectory of ``train.deep``, to rounding.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from benign.networks.deep import Deep
from benign.train import deep
from benign.train.history import Trained
from benign.train.problem import one_a_run


def train(
    start: Deep,
    xs: Sequence[Tensor],
    labels: Sequence[Tensor],
    *,
    step_size: Tensor | float | int,
    weight_decay: Tensor | float | int = 0,
    offset: Tensor | None = None,
    device: str = "cpu",
    **options: object,
) -> tuple[Trained, list[Deep]]:
    """What training recorded, in coordinates, and the trained networks on R^d, each a batch of one.

    ``start`` is a batch of networks, ``xs`` and ``labels`` have the inputs, shape (n, d), and labels, shape (n,), of
    each. Options and errors are those of ``train.deep.train``.
    """
    bases = [torch.linalg.qr(x.mT.contiguous()).Q for x in xs]
    # Copies: the last bits of a product depend on where its factors begin in memory.
    visible = torch.stack([w.clone() @ basis for w, basis in zip(start.weights[0], bases, strict=True)])
    trained = deep.train(
        replace(start, weights=(visible, *start.weights[1:])).to(device),
        torch.stack([x @ basis for x, basis in zip(xs, bases, strict=True)]).to(device),
        torch.stack(list(labels)).to(device),
        step_size=step_size,
        weight_decay=weight_decay,
        offset=None if offset is None else offset.to(device),
        **options,
    )
    # The share of its start that decay has left of what no training input sees; 1 without decay.
    sizes, decays = one_a_run("step_size", step_size, len(xs)), one_a_run("weight_decay", weight_decay, len(xs))
    left = (1 - sizes * decays) ** trained.steps.cpu()
    after, finished = trained.network.to("cpu"), []
    for index, (basis, share) in enumerate(zip(bases, left, strict=True)):
        moved = share * start.weights[0][[index]] + (after.weights[0][index] - share * visible[index]) @ basis.mT
        finished.append(replace(start, weights=(moved, *[w[[index]] for w in after.weights[1:]])))
    return trained, finished
