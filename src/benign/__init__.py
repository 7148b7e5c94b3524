"""Benign overfitting: data, networks, exact trainers, measures, theory and experiments.

Imports run downward only: ``experiments -> measure, theory -> train, ntk -> networks -> data``.
Import the module you need (``from benign.train import span``): packages re-export nothing, so that a
chapter depends on exactly the files whose code it runs.
"""

__version__ = "0.1.0"
