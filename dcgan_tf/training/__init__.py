"""Training: the loop, its callbacks, checkpoints, and what can stop a run early."""
