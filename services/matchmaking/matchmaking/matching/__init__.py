"""The pure engine: hard conditions, words, scores, reasons. It knows no database and no clock."""
