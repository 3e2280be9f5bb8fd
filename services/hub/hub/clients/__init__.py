"""Machines that sign in with a secret of their own (机器客户端)."""
