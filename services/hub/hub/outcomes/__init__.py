"""What became of each row of a whole catalogue, for programs and for people (逐行结果)."""
