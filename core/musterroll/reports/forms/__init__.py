"""What a report looks like as a file: a page, a table, a text for a pull request, a list of tests."""
