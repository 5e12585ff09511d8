"""What was planned, carried out: operations to the portal, with their passwords."""
