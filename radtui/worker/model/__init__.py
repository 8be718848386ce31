"""The model: found, loaded, adapted, asked; what of it is faster than its family's own code."""
