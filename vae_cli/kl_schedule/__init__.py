"""Weights of the KL as functions of the step."""
