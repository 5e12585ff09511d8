"""The members' program of the Lakeside Rowing Club, for musterroll."""
