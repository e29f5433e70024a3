"""The built-in model that draws: coloured shapes, trained from nothing on scenes that this folder makes."""
