"""Flows fitted to densities of the plane, measured and drawn."""
