"""One organisation under several records (同一主体): linked by its credit code, merged by an operator, and back."""
