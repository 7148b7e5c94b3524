"""How it is trained: ``dense`` is the reference in R^p, ``span`` the same trajectory in Gram coordinates."""
