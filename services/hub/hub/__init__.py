"""The hub platform (枢纽平台)."""
