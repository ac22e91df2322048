"""What counts served rows in the environment of a package; it imports nothing of nbprod."""
