"""Components that draw in the browser: each has a record made in Python, and a script, a style and a template."""
