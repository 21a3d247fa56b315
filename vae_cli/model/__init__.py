"""Joint models p(x, z) with their approximate posteriors."""
