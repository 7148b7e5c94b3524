"""A grid of settings times seeds becomes a tidy table, computed once and kept."""

from livingpaper.sweep.engine import sweep as sweep
from livingpaper.sweep.grid import grid as grid
