"""Parts of backends/ollama.py: the wire format, and how large a window a conversation needs."""
