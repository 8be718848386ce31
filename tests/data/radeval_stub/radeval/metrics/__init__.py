"""Where the package has its metrics."""
