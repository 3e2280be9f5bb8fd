"""Who belongs to the network: joined, on probation, active, quarantined, retired (成员)."""
