"""What a phone does again and again, and how it is driven through time."""
