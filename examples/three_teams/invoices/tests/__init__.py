"""Tests of each module."""
