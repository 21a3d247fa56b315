"""Densities of the plane that are known but for a factor: what a flow is to become."""
