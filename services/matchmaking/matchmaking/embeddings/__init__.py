"""Vectors of texts, kept by content and model; which model serves, and the change to another."""
