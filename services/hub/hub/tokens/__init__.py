"""The OAuth 2.0 token endpoint (令牌)."""
