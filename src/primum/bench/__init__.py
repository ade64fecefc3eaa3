"""Benches: many trainings from one file, chosen on validation rows, judged once on test rows."""
