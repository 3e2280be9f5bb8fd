"""Keys that tokens are signed with, and their rotation (签名密钥)."""
