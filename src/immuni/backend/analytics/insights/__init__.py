"""What people see of analytics: counts that name nobody, decided once and kept."""
