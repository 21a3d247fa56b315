"""The mathematics of flows and of the divergence between distributions."""
