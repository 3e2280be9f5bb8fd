"""Copies of what is offered, by whom, and how it was rated; the index over them."""
