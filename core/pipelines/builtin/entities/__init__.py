"""The built-in head for entities: what it is trained on and measured with."""
