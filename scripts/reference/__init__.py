"""The generated part of the reference; ``python -m scripts.reference`` writes it."""
