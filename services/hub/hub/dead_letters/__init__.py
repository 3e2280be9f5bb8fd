"""Messages that were refused or could not be read (死信)."""
