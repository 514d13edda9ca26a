"""What operators see: figures, forecasts and warnings, from what may be shown and nothing else."""
