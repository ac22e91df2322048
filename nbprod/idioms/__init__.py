"""The idioms, one notebook pattern a file."""
