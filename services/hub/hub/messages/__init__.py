"""The bus for platforms that have none: what is said to them and by them, over HTTP (消息桥)."""
