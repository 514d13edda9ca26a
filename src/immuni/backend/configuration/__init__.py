"""The App Configuration Service: the Configuration Settings, per platform and build, signed."""
