"""Pages and pictures. Everything that a browser needs comes from here; nothing is fetched from elsewhere."""
