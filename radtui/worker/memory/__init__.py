"""How much memory a job will take, and how much there is."""
