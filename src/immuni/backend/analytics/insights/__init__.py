"""What operators see of reports: counts that name nobody, and estimates with intervals."""
