"""Run the command line as ``python -m immuni``."""

from immuni.cli import main

main()
