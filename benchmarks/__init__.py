"""Performance as ratios against something real in the same run: `make benchmark` prints the table."""
