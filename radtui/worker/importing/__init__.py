"""The import job: a source's cases, their bytes, and which are held out."""
