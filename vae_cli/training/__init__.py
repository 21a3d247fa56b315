"""The training loop around a model and its data, on PyTorch Lightning."""
