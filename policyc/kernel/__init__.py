"""The machine: the only room that starts processes or needs privilege. Everything else is text and values."""
