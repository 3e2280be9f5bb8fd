"""Telling matchmaking and the windows how the other platforms are (平台状态通告)."""
