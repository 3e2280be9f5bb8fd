"""A page for people that says how the network is (状态页)."""
