"""The Exposure Reporting Service: which chunks there are, and their bytes."""
