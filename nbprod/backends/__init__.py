"""The engines that execute notebooks, one a file."""
