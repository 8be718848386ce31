"""The generation job: which texts are missing, and writing them."""
