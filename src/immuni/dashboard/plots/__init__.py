"""Where the marks of a plot stand: geometry without a colour, which templates draw as SVG.

Horizontal places are percentages of a plot's width and vertical ones pixels, so that one drawing
fits a phone and a desk, and its words keep their size.
"""
