"""Tests of this version: `pytest` in this folder needs nothing but what the package itself needs."""
