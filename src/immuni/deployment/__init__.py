"""From parts to a running system: wiring, processes, the embedded database, certificates.

Only this package reads the environment, opens connections and starts processes.
"""
