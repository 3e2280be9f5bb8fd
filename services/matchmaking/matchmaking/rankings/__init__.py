"""Versions of the weights: learnt from results, measured against the present ones, switched on by people."""
