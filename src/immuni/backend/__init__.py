"""The five services, and the jobs that run beside them.

In each service the same few files: rules decide, a store keeps, a route joins them. What they share
lies beside them; none knows another.
"""
