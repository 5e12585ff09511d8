"""The plugins that come with musterroll; each uses the public hooks and nothing else."""
