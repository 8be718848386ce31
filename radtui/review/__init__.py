"""Blind review of what two or three variants wrote: schemes, order, blinding, scores and statistics, all pure.

Nothing here opens a file of the database or draws a screen: values and `radtui.records` go in, values come out.
"""
