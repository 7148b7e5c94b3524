"""One training with its measurements, data to table: what a sweep repeats over settings and seeds.

Apart from the sweeping machinery, so that a change to it retrains nothing.
"""
