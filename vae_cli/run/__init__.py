"""One run's folder: training in it, what it keeps, rebuilding from it."""
