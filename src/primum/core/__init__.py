"""What every room stands on: checks, files, spelling, limits."""
