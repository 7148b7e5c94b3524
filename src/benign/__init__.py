"""Benign overfitting, executable: data, networks, exact trainers, measures, sweeps and the book made of them.

Imports run downward only: ``cli -> book -> sweep, experiments -> measure, theory -> train -> networks -> data``.
Import the module you need (``from benign.train import span``): packages re-export nothing, so that a
chapter depends on exactly the files whose code it runs.
"""

__version__ = "0.1.0"
