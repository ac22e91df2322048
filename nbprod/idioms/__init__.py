"""The idioms, one notebook pattern a file; files without `IDIOMS` hold what several of them call."""
