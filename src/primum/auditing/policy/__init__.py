"""From a table to a policy, and from a policy to decisions on another table."""
