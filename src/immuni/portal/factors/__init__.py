"""The second factor: passkeys, codes of an app, recovery codes; and asking for it once more."""
