"""Whether our copies of the catalogue are what the hub has (目录比对)."""
