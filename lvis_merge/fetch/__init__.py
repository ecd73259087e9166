"""Downloads the chosen images and the published annotation files."""
