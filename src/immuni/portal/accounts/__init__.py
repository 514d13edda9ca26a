"""Who may enter: accounts, their organisations, their roles and what each role may do."""
