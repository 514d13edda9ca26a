"""The Configuration Settings: administrators look at them, and publish what two of them want."""
