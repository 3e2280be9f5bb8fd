"""People who sign in (用户)."""
