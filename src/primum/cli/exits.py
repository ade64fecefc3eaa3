"""Exit codes of the command line; 0 is success, and 1 an error that is ours."""

BAD_INPUT = 2
SUSPENDED = 3  # a policy may not be used on these rows
INTERRUPTED = 130
