"""Numbers that look at many images of a split at once."""
