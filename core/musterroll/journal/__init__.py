"""The SQLite file of a pipeline: jobs, plans, operations, ledger."""
