"""Stand-ins for what is not ours, for tests and for a system that runs on one machine.

What they vouch for is worth nothing: the services take their keys and roots only where a setting
says so, and never import them.
"""
