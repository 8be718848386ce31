"""Metric points -> smoothed, bounded series -> characters, SVG or PNG; pure, knows nothing of Textual.

model.py            what a chart on a screen holds: series.py keeps points in growing.py, smoothing.py smooths,
                    view.py has what part is shown, look.py how; seeds.py: lines of several trainings
frame.py            all of it on a canvas.py: header.py above, curves.py painted by paint.py and raster.py
ticks.py            round numbers; tones.py: colour numbers; palette.py: colours of curves
plot.py             the same as shapes, for the files of svg.py
spark.py            a small chart without axes
"""
