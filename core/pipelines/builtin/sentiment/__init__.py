"""The built-in head for sentiment: what it is trained on and measured with."""
