"""Frei, Chatterji & Bartlett (2022): how far the first step goes, for smooth leaky activations."""


def first_step_bound(signal: float, gamma: float, constant: float = 1.0) -> float:
    """gamma ||mu|| / C, the bound of Proposition 2 on ||W(1) - W(0)||_F / ||W(0)||_F from below.

    ``gamma`` is the activation's least slope anywhere: a ReLU has 0, for which the proposition says nothing.
    ``constant`` is the paper's unnamed C.
    """
    return gamma * signal / constant
