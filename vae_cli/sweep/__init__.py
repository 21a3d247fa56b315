"""Many runs from one command line: which, where, and what came of them."""
