"""Asking the base and the tuned model about one image, and watching them answer."""
