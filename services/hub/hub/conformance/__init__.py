"""Platforms prove that they can belong, and are admitted (一致性测试与准入)."""
