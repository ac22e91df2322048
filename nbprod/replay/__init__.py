"""Proof that an exported package gives what the notebook gave: capture, replay, shrink."""
