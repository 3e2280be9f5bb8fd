"""What this platform says of its catalogue, to be read from here (目录变更)."""
