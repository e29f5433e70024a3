"""The built-in model for English and French: pairs written by hand, a grammar that composes more, and the training."""
