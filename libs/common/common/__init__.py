"""Mechanism and contracts that every Hubnet service shares; it knows no service."""
