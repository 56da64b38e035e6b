"""Benchmarks: both sides of every comparison in one run on one machine, as ratios. `make bench` runs them all."""
