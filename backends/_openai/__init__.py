"""Parts of backends/openai.py: the wire format, and the servers that speak it."""
