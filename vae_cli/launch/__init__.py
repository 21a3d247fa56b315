"""The processes of one run: who started them, and how they find each other."""
