"""Tests of the structure: what a reviewer would otherwise have to remember."""
