"""One training with its measurements, data to table: what a sweep repeats over settings and seeds.

Apart from ``benign.sweep``, so that a change to the sweeping machinery retrains nothing.
"""
