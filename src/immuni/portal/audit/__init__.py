"""What everybody did, kept so that nobody can change it afterwards."""
