"""Trains, measures and shows variational autoencoders from one line of configuration."""

__version__ = "0.1.0"
