"""A grid of settings times seeds becomes a tidy table, computed once and kept."""

from benign.sweep.engine import sweep as sweep
from benign.sweep.grid import grid as grid
