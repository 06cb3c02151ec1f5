"""The picker of models in the page's head."""
