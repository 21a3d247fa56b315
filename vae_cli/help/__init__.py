"""What ``--help`` prints and what a shell completes, read from the comments of the yamls."""
