"""Whether the copies here are what their owners have, and matchmaking's what the copies here are (目录比对)."""
