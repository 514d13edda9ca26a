"""The services' database: settings, codes, uploads, chunks, jobs."""
