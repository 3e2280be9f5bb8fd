"""How good the search is, measured on a collection of needs with judged offerings."""
