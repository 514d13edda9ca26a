"""Is it really they? Passwords, the brake on guessing them, sessions, the way in and out."""
