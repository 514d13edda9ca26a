"""The analytics database: what remains of uploads and reports, joined to nothing."""
