"""Tests of config/, the file of each module under its name."""
