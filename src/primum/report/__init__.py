"""The report: pages and pictures drawn from a finished audit; nothing here computes a statistic."""
