"""Code that the pages of the admin share."""
