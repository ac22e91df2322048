"""Scripts that a deployment carries: standard library alone, Python 3.9, run where nbprod may be missing."""
