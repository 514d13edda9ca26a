"""The Analytics Service: Operational Info from phones, Epidemiological Info from ingestion."""
