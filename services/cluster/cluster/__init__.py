"""A cluster platform: shared instruments, their calendars and bookings."""
