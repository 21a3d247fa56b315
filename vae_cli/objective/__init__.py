"""What is minimised: a model's terms reduced to a loss."""
