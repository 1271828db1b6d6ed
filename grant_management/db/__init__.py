"""What stands between the models and the database."""
