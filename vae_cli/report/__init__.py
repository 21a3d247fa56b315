"""Pages about runs, for people to read."""
