"""The provider's side of a platform, mounted by windows and clusters."""
