"""The training job, from its material to its checkpoints."""
