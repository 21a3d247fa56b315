"""How few images are too few."""

FEW_IMAGES = 30  # below which a standard error is itself off by more than an eighth
