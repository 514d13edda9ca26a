"""The App of one phone: what it asks of the servers, decides, remembers and shows."""
