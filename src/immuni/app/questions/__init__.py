"""Questions and answers: kept beside the App's memory, fetched now and then, searched."""
