"""Gradient descent of one run at a time, compiled for the CPU: what ``train.span`` and ``train.deep`` do, as loops.

A step is matrix products and few passes over matrices, so that most of the time goes into the products. Everything
compiled stands in this one file: compiled code is kept on disk for the next process under the time and the size of the
file that calls, and would not notice a change in another one.

A family of activations and a loss are numbers here. They are the same throughout a loop, so the compiler draws the
branches on them out of the loop, and one trainer serves them all. It does so for four families and not for a fifth,
with which a pass over a matrix takes five times as long: measure (benchmarks, row 4) before adding one. The constants
are float32, exact: each function computes in the type of its arguments.
"""

import math

import numba
import numpy as np
import scipy.linalg  # noqa: F401  # whose products the compiled code calls: loaded, so that its threads can be limited

from benign.networks.activations import Activation, PerRun
from benign.train.losses import EXPONENTIAL, HINGE, LOGISTIC, SQUARED, Loss, Squared
from benign.train.problem import Rule, Stop

ZERO, QUARTER, HALF, ONE = map(np.float32, (0, 0.25, 0.5, 1))
TWO_SLOPES, ELU, SMOOTHED, POWER = range(4)
FAMILIES = {"two slopes": TWO_SLOPES, "elu": ELU, "smoothed two slopes": SMOOTHED, "power": POWER}
ON_LOGISTIC, ON_EXPONENTIAL, ON_HINGE, ON_SQUARED = range(4)
LOSSES = {LOGISTIC: ON_LOGISTIC, EXPONENTIAL: ON_EXPONENTIAL, HINGE: ON_HINGE, SQUARED: ON_SQUARED}

# No flag lets the compiler take NaN for impossible, or sum in another order: a run that diverges shows it. Without the
# interpreter's lock, so that other runs train beside it.
compiled = numba.njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
# The same, with every product rounded before it is added to something, as in NumPy.
compiled_as_numpy = numba.njit(nogil=True, cache=True, error_model="numpy")


def knows(activation: Activation, loss: Loss | Squared, stop: Stop) -> bool:
    """Whether these are here as compiled functions; anybody's own are not."""
    members = activation.members if isinstance(activation, PerRun) else (activation,)
    return all(member.family in FAMILIES for member in members) and loss in LOSSES and isinstance(stop, Rule)


def family(activation: Activation, dtype: np.dtype) -> tuple[int, np.ndarray]:
    """The number of an activation's family, and its two parameters, 0 where it has fewer."""
    return FAMILIES[activation.family], np.array([*activation.parameters, 0, 0][:2], dtype)


@compiled
def descend(
    kind, parameters, loss, level, fitted, initial, gram, read_out, labels, pull, now, coefficients, outputs, steps
):
    """Takes one run of ``train.span`` up to so many steps further; returns how many, and whether it is over.

    A_t (``now``), C_t and f(x_i) are changed in place; ``read_out`` is a / sqrt(m), ``pull`` y step_size / n. A sample
    has as many patches, one after the other, as there are columns of A for a label. ``gram`` is G, or X in its place.
    """
    moved, force, values = np.empty_like(initial), np.empty_like(initial[0]), np.empty_like(initial[0])
    few = np.empty((initial.shape[0], gram.shape[1]), gram.dtype)
    patches = len(force) // len(labels)
    taken, over = 0, is_over(loss, level, fitted, labels, outputs)
    while taken < steps and not over:
        for i in range(len(labels)):
            pulled = pull[i] * negative_derivative(loss, labels[i] * outputs[i])
            for k in range(i * patches, (i + 1) * patches):
                force[k] = pulled
        backward(kind, parameters, read_out, force, now, coefficients)
        if gram.shape[0] == gram.shape[1]:
            np.dot(coefficients, gram, moved)
        else:
            np.dot(coefficients, gram, few)
            np.dot(few, gram.T, moved)
        forward(kind, parameters, read_out, initial, moved, now, values)
        for i in range(len(labels)):
            outputs[i] = 0
            for k in range(i * patches, (i + 1) * patches):
                outputs[i] += values[k]
        taken, over = taken + 1, is_over(loss, level, fitted, labels, outputs)
    return taken, over


@compiled
def forward(kind, parameters, read_out, initial, moved, now, values):
    """A = A_0 + C G and the values sum_j read_out_j sigma(A_ji), one a column."""
    a, b = parameters[0], parameters[1]
    values[:] = 0
    for j in range(initial.shape[0]):
        for i in range(initial.shape[1]):
            u = initial[j, i] + moved[j, i]
            now[j, i] = u
            values[i] += read_out[j] * sigma(kind, a, b, u)


@compiled
def backward(kind, parameters, read_out, force, now, coefficients):
    """C_ji += read_out_j sigma'(A_ji) force_i."""
    a, b = parameters[0], parameters[1]
    for j in range(now.shape[0]):
        for i in range(now.shape[1]):
            coefficients[j, i] += read_out[j] * slope(kind, a, b, now[j, i]) * force[i]


@compiled
def descend_deep(
    kind, parameters, loss, multipliers, rates, kept, widths, flat, x, labels, offset, outputs, level, fitted, steps
):
    """Takes one run of ``train.deep`` up to so many full-batch steps further; returns how many, and whether it is over.

    The W_l (in ``flat``) and f(x_i), less ``offset``, are changed in place; ``rates`` are step_size s_l, ``kept`` is
    1 - step_size decay.
    """
    weights = layers(widths, flat)
    moved, hidden, gradients = rooms(weights, len(x))
    hidden[0][:] = x.T
    taken = 0
    while True:
        ahead(kind, parameters, multipliers, weights, moved, hidden, offset, outputs)
        over = is_over(loss, level, fitted, labels, outputs)
        if over or taken == steps:
            return taken, over
        back(kind, parameters, loss, multipliers, rates, kept, weights, moved, hidden, gradients, outputs, labels)
        taken += 1


@compiled
def descend_by_batches(kind, parameters, loss, multipliers, rates, kept, widths, flat, x, labels, offset, order, size):
    """Takes the steps of mini-batches of so many points, in the given order; the last has what is left."""
    weights = layers(widths, flat)
    for first in range(0, len(order), size):
        points = order[first : first + size]
        if first == 0 or len(points) < size:
            moved, hidden, gradients = rooms(weights, len(points))
            outputs, targets, starts = [np.empty_like(labels[: len(points)]) for _ in range(3)]
        for i in range(len(points)):
            hidden[0][:, i] = x[points[i]]
            targets[i], starts[i] = labels[points[i]], offset[points[i]]
        ahead(kind, parameters, multipliers, weights, moved, hidden, starts, outputs)
        back(kind, parameters, loss, multipliers, rates, kept, weights, moved, hidden, gradients, outputs, targets)


@compiled
def layers(widths, flat):
    """The weights W_l, which lie one after the other in ``flat``: a loop is compiled once for networks of any depth."""
    weights, first = [], 0
    for layer in range(len(widths) - 1):
        size = widths[layer + 1] * widths[layer]
        weights.append(flat[first : first + size].reshape(widths[layer + 1], widths[layer]))
        first += size
    return weights


@compiled
def rooms(weights, n):
    """Room for W_l h_{l-1}, for h_{l-1} and for what moves W_l, in every layer."""
    moved = [np.empty((w.shape[0], n), w.dtype) for w in weights]
    hidden = [np.empty((w.shape[1], n), w.dtype) for w in weights]
    return moved, hidden, [np.empty_like(w) for w in weights]


@compiled
def ahead(kind, parameters, multipliers, weights, moved, hidden, offset, outputs):
    """u_l = s_l W_l h_{l-1}, h_l = sigma(u_l) and f = u_L, less the offset."""
    a, b = parameters[0], parameters[1]
    for layer in range(len(weights)):
        scale, now = multipliers[layer], moved[layer]
        np.dot(weights[layer], hidden[layer], now)
        if layer == len(weights) - 1:
            outputs[:] = scale * now[0] - offset
            return
        above = hidden[layer + 1]
        for j in range(now.shape[0]):
            for i in range(now.shape[1]):
                above[j, i] = sigma(kind, a, b, scale * now[j, i])


@compiled
def back(kind, parameters, loss, multipliers, rates, kept, weights, moved, hidden, gradients, outputs, labels):
    """W_l <- kept W_l + rates_l sum_i b_l(x_i) h_{l-1}(x_i)^T, with b_L the mean's force; fills ``moved`` with b_l."""
    a, b = parameters[0], parameters[1]
    for i in range(len(labels)):
        moved[-1][0, i] = force(loss, outputs[i], labels[i]) / len(labels)
    for layer in range(len(weights) - 1, -1, -1):
        w, signal, gradient = weights[layer], moved[layer], gradients[layer]
        np.dot(signal, hidden[layer].T, gradient)
        if layer:
            below, scale, u_scale, pulled = moved[layer - 1], multipliers[layer], multipliers[layer - 1], hidden[layer]
            np.dot(w.T, signal, pulled)  # where h_{l-1} was
            for j in range(below.shape[0]):
                for i in range(below.shape[1]):
                    below[j, i] = scale * pulled[j, i] * slope(kind, a, b, u_scale * below[j, i])
        for j in range(w.shape[0]):
            for k in range(w.shape[1]):
                w[j, k] = kept[0] * w[j, k] + rates[layer] * gradient[j, k]


@compiled
def is_over(loss, level, fitted, labels, outputs):
    """Whether a ``Rule`` ends the run."""
    if fitted:
        for i in range(len(labels)):
            if not labels[i] * outputs[i] > 0:
                return False
    if math.isinf(level):
        return level > 0
    total, most = 0.0, level * len(labels)
    for i in range(len(labels)):
        total += at(loss, outputs[i], labels[i])
        if total > most:  # no loss is negative, so that it stays
            return False
    return total <= most


@compiled
def sigma(kind, a, b, u):
    """The activation of a family with the parameters a and b."""
    if kind == TWO_SLOPES:
        return a * u if u <= ZERO else u
    if kind == ELU:
        return math.expm1(u) if u <= ZERO else u
    if kind == SMOOTHED:
        if abs(u) * b <= ONE:
            return (QUARTER * (ONE - a) * b * u + HALF * (ONE + a)) * u
        return (a * u if u <= ZERO else u) - QUARTER * (ONE - a) / b
    return ZERO * u if u <= ZERO else u**a


@compiled
def slope(kind, a, b, u):
    """Its derivative, at a kink from the left."""
    if kind == TWO_SLOPES:
        return ONE if u > ZERO else a
    if kind == ELU:
        return math.exp(u) if u <= ZERO else ONE
    if kind == SMOOTHED:
        return HALF * (ONE + a) + HALF * (ONE - a) * min(max(b * u, -ONE), ONE)
    return a * u**b if u > ZERO else ZERO


@compiled
def at(loss, output, label):
    """A loss at an output f, of the margin y f if it is not the squared one."""
    if loss == ON_SQUARED:
        return (output - label) ** 2 / 2
    margin = label * output
    if loss == ON_LOGISTIC:
        return max(-margin, 0) + math.log1p(math.exp(-abs(margin)))
    if loss == ON_EXPONENTIAL:
        return math.exp(-margin)
    return max(1 - margin, 0)


@compiled
def force(loss, output, label):
    """Minus its derivative in f."""
    if loss == ON_SQUARED:
        return label - output
    return label * negative_derivative(loss, label * output)


@compiled
def negative_derivative(loss, margin):
    """g = -l' of a loss l of the margin."""
    if loss == ON_LOGISTIC:
        return 1 / (1 + math.exp(margin))
    if loss == ON_EXPONENTIAL:
        return math.exp(-margin)
    return 1.0 if margin < 1 else 0.0


@compiled_as_numpy
def descend_on_kernel(kernel, start, labels, level, fitted, rate, order, size, coefficients):
    """Unless the run is over, takes it once through the sample in the given order; returns whether it is over.

    Mini-batches of so many points on the logistic loss of ``start`` + K c change c in place; ``rate`` is the step size.
    """
    n = len(labels)
    outputs = np.dot(kernel, coefficients)
    outputs += start
    if is_over(ON_LOGISTIC, level, fitted, labels, outputs):
        return True
    rows, pulls = np.empty((size, n)), np.empty(size)
    for first in range(0, n, size):
        points = order[first : first + size]
        count = len(points)
        for i in range(count):
            rows[i] = kernel[points[i]]
        np.dot(rows[:count], coefficients, pulls[:count])
        for i in range(count):
            label = labels[points[i]]
            margin = label * (start[points[i]] + pulls[i])
            pulls[i] = rate / count * label * (1 / (1 + math.exp(margin)))
        for i in range(count):
            coefficients[points[i]] += pulls[i]
    return False


@compiled_as_numpy
def turn_each(form, vectors):
    """Turns each unit vector y_i in turn along sum_{j != i} M_ij y_j, in place; M is ``form``."""
    pull = np.empty(vectors.shape[1])
    for i in range(len(form)):
        np.dot(form[i], vectors, pull)
        for k in range(len(pull)):
            pull[k] -= form[i, i] * vectors[i, k]
        length = math.sqrt(np.dot(pull, pull))
        if length > 0:
            for k in range(len(pull)):
                vectors[i, k] = pull[k] / length
