"""The layer between the models and the database driver."""
