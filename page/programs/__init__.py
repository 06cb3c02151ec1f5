"""The page for programs: endpoints with names and types, whose answers are plain dicts."""
