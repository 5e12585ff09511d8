"""What `plugins new` writes: templates, which are whole plugins called `example-thing` that keep their contract."""
