"""The App's pages: what a person sees of a phone, served to the device's own browser."""
