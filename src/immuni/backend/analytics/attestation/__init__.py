"""What Android phones vouch with: verified here, without a database and without a network."""
