"""The import job: a source's cases, their bytes, and which are held out.

ingest.py           the job; tally.py: what it says; hold_out.py: which cases are held out
examining.py        images in several processes; keeping.py: into the data folder; gating.py: nothing that names
                    a person; known_cases.py: what is there already
"""
