"""Images as tensors: datasets, how their pixels are treated, and batches of them."""
