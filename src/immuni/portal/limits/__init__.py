"""What a stolen account could do is bounded: quotas that learn, warnings, switches that stop."""
