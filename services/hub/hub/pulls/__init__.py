"""Changes that the hub fetches from platforms which do not send them (拉取)."""
