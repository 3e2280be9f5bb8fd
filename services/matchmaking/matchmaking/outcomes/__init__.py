"""What became of matches: who was invited, quoted, was awarded, delivered and was rated."""
