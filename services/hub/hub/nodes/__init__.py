"""Platforms of the network and how they are (平台节点)."""
