"""What trained runs are asked for: numbers, classifiers, samples, plain arrays."""
