"""The Exposure Ingestion Service: checks codes, takes uploads.

An upload spends its code, stores its keys and encloses its Epidemiological Info in one transaction,
or does none of the three. Keys wait here until publishing collects them.
"""
