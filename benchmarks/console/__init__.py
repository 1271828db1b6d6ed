"""Every page and search of the console, of which each is measured and its plans are examined."""
