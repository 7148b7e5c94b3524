"""What the papers promise: conditions, bounds and closed forms, one module a topic."""
