"""What is trained: activations and the two-layer network with frozen output weights."""
