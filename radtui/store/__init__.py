"""Every SQL statement of the project, one file per noun. Functions take a connection and plain values.

One connection per thread (`database.connect`); rows go in and come out as `radtui.records`.
"""
