"""What providers are told: open demands that fit what they offer."""
