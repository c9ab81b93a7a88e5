"""What counts as rounding, and is not shown as anything else."""

ROUNDING = 1e-10  # of the values' size: what is smaller comes from arithmetic, not from the game
