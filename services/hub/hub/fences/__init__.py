"""Nodes whose database went back in time are held until they have told their truth again (隔栏与恢复)."""
