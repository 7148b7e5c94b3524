"""The tangent kernel: ``analytic`` at infinite width, ``empirical`` of a given network, and ``regression`` with it."""
