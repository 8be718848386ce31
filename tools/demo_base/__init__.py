"""Making the demo's base model, and looking at its phantoms."""
