"""Whole catalogues, handed in as a file, staged and switched at once (目录快照)."""
