"""The executing stage: a resumable walk over the stored operations, and the invites that they earn."""
