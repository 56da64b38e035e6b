"""Benchmarks. Both sides of each comparison run on one machine in one run; results are ratios. `make bench` runs all of them."""
