"""Parts of the page that draw themselves in the browser, each with its record, script, style and template."""
