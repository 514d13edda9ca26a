"""Practising: the operator's screen with codes that cannot authorise anything."""
