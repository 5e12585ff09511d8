"""What xlsx and ods share: a zip archive of XML."""
