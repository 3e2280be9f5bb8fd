"""What was found, with its evidence."""
