"""The plugins: found, collected, looked up, and named where they break."""
