"""The feature code and the model of a fitted package as plain Python over one row, without pandas and scikit-learn.

The feature code is run once on stand-ins for its tables (`tracing`), each of which has a few rows beside it that pandas
works on: so loops, helper functions and branches over learned values run as they are, and every dtype is known. What
comes out is a graph of the values of one row (`nodes`), which is written as a module (`writing`).

What is written is right for ordinary rows alone: where a value is not of its type, is infinite, or lies outside of what
an operation takes, the module raises, and the row goes through the package's own code.
"""
