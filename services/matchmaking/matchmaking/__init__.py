"""Matchmaking: which offerings fit a demand, and why."""
