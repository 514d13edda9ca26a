"""Who works here: inviting people, changing what they may do, and letting them leave."""
