"""It is they, says their region's OpenID provider: the way there and back, and what it proves."""
