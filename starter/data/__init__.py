"""The conversations the model learns from, made by rule and by chance. Each module knows one kind of them."""
