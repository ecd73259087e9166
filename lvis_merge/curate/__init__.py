"""What people mark in the App, kept in a file that a build applies."""
