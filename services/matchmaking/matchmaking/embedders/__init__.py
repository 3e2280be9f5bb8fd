"""Models that turn texts into vectors: one in this process, or any server that speaks OpenAI's interface."""
