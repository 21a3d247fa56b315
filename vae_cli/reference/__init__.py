"""Numbers of the literature."""
