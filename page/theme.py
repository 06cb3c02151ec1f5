"""Theme: Gradio's Soft without fonts from elsewhere, its greys and blues dark enough to be read."""

from __future__ import annotations

import gradio as gr

# All at least 4.5:1, as WCAG 2 asks of small text.
_READABLE = {
    "body_text_color_subdued": "*neutral_600",
    "body_text_color_subdued_dark": "*neutral_400",
    "block_info_text_color": "*neutral_600",
    "block_info_text_color_dark": "*neutral_400",
    "block_label_text_color": "*primary_700",
    "block_title_text_color": "*primary_700",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_dark": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_hover_dark": "*primary_700",
    "checkbox_label_background_fill_selected": "*primary_600",
    "checkbox_label_background_fill_selected_dark": "*primary_600",
    "color_accent": "*primary_600",  # page.css has the dark one: a theme knows one only
    "input_placeholder_color": "*neutral_500",
    "link_text_color": "*primary_700",
    "link_text_color_dark": "*primary_300",
}


def theme() -> gr.themes.Base:
    return gr.themes.Soft(font=["system-ui", "sans-serif"]).set(**_READABLE)
