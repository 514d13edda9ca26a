"""Generated from ``export.proto``; never edited by hand."""
