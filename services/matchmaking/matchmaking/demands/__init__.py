"""Copies of what is needed; each new need is matched."""
