"""Where (x, y) come from: polluted Gaussian mixtures and images."""
