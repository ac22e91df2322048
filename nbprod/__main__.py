"""`python -m nbprod` is the command `nbprod`."""

from nbprod.cli import main

if __name__ == "__main__":
    main()
