"""A model's answers case by case: where they lie, which fail silently, and what deferring would save."""
