"""The Gradio page: its layout, the handlers of its events, and the components that draw in the browser."""
