"""The place Data: images listed, searched, looked at, imported."""
