"""A service under load: what it answers, how fast, and whether that is what was asked for."""
