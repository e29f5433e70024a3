"""The page's colours, type and spacing, light and dark: one accent, system fonts, nothing loaded from elsewhere.

Every pair of text and ground reaches the contrast that WCAG 2.2 asks of AA (4.5 : 1); tests/test_look.py measures it on
the drawn page. What Gradio's variables cannot say stands in style.css.
"""

from __future__ import annotations

from gradio.themes import Base
from gradio.themes.utils import sizes
from gradio.themes.utils.colors import Color

# From a ground that is almost white to one that is almost black; both ends carry a little of the accent's warmth.
_GREY = Color(
    name="grey", c50="#f7f7f5", c100="#efeeeb", c200="#e2e1dc", c300="#cbc9c2", c400="#9b9890", c500="#6f6c65",
    c600="#57544e", c700="#3d3b37", c800="#272623", c900="#1c1b19", c950="#141312",
)  # fmt: skip
_ACCENT = Color(
    name="teal", c50="#effaf8", c100="#d3f1ec", c200="#a8e3da", c300="#74cdc2", c400="#45b0a5", c500="#1f8f85",
    c600="#0f766e", c700="#0d5f59", c800="#104c48", c900="#113f3c", c950="#052523",
)  # fmt: skip
_TEXT = sizes.Size(
    name="text", xxs="10px", xs="11px", sm="12px", md="14px", lg="15px", xl="20px", xxl="24px"
)  # fmt: skip
_SPACE = sizes.Size(name="space", xxs="1px", xs="2px", sm="4px", md="6px", lg="8px", xl="10px", xxl="12px")
_ROUND = sizes.Size(name="round", xxs="2px", xs="3px", sm="6px", md="8px", lg="10px", xl="14px", xxl="20px")
_RED, _RED_DARK = "#b42318", "#f97066"


def theme() -> Base:
    """The theme as Gradio takes it: each variable, and its dark twin where that differs."""
    base = Base(
        primary_hue=_ACCENT, secondary_hue=_ACCENT, neutral_hue=_GREY, text_size=_TEXT, spacing_size=_SPACE,
        radius_size=_ROUND, font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Consolas", "monospace"],
    )  # fmt: skip
    return base.set(**_grounds(), **_words(), **_fields(), **_buttons(), **_choices())


def _grounds() -> dict[str, str]:
    """Surfaces and lines: a box is told from the page by its ground, its edge only hints."""
    return {
        "body_background_fill": "*neutral_50", "body_background_fill_dark": "*neutral_950",
        "background_fill_primary": "white", "background_fill_primary_dark": "*neutral_900",
        "background_fill_secondary": "*neutral_100", "background_fill_secondary_dark": "*neutral_800",
        "block_background_fill": "white", "block_background_fill_dark": "*neutral_900",
        "block_border_color": "*neutral_200", "block_border_color_dark": "*neutral_800",
        "block_radius": "*radius_md", "block_padding": "*spacing_xl *spacing_xxl",
        "block_shadow": "none",
        "border_color_primary": "*neutral_200", "border_color_primary_dark": "*neutral_700",
        "border_color_accent": "*primary_600", "border_color_accent_dark": "*primary_400",
        "border_color_accent_subdued": "*primary_200", "border_color_accent_subdued_dark": "*primary_800",
        "color_accent": "*primary_600", "color_accent_soft": "*primary_50", "color_accent_soft_dark": "*neutral_800",
        "panel_background_fill": "transparent", "panel_background_fill_dark": "transparent",
        "layout_gap": "12px", "form_gap_width": "0px",
        "table_border_color": "*neutral_200", "table_border_color_dark": "*neutral_700",
        "table_even_background_fill": "white", "table_even_background_fill_dark": "*neutral_900",
        "table_odd_background_fill": "*neutral_50", "table_odd_background_fill_dark": "*neutral_900",
        "code_background_fill": "*neutral_100", "code_background_fill_dark": "*neutral_800",
        "shadow_drop": "none", "shadow_inset": "none",
    }  # fmt: skip


def _words() -> dict[str, str]:
    """Text: two strengths of grey, and the accent for links."""
    return {
        "body_text_color": "*neutral_800", "body_text_color_dark": "*neutral_100",
        "body_text_color_subdued": "*neutral_600", "body_text_color_subdued_dark": "#aeaba3",
        "block_title_text_color": "*neutral_700", "block_title_text_color_dark": "*neutral_200",
        "block_title_text_size": "13px", "block_title_text_weight": "500",
        "block_label_text_color": "*neutral_600", "block_label_text_color_dark": "*neutral_200",
        "block_info_text_color": "*neutral_600", "block_info_text_color_dark": "#aeaba3",
        "accordion_text_color": "*neutral_800", "accordion_text_color_dark": "*neutral_100",
        "link_text_color": "*primary_700", "link_text_color_dark": "*primary_300",
        "link_text_color_hover": "*primary_800", "link_text_color_hover_dark": "*primary_200",
        "link_text_color_active": "*primary_800", "link_text_color_active_dark": "*primary_200",
        "link_text_color_visited": "*primary_700", "link_text_color_visited_dark": "*primary_300",
        "chatbot_text_size": "*text_lg", "prose_header_text_weight": "600",
        "error_text_color": _RED, "error_text_color_dark": _RED_DARK,
        "error_background_fill": "#fef3f2", "error_background_fill_dark": "*neutral_900",
        "error_border_color": _RED, "error_border_color_dark": _RED_DARK,
        "error_icon_color": _RED, "error_icon_color_dark": _RED_DARK,
    }  # fmt: skip


def _fields() -> dict[str, str]:
    """Where one types: a ground of its own, and an edge in the accent when it has the focus."""
    return {
        "input_background_fill": "white", "input_background_fill_dark": "*neutral_950",
        "input_border_color": "*neutral_300", "input_border_color_dark": "*neutral_700",
        "input_border_color_focus": "*primary_600", "input_border_color_focus_dark": "*primary_400",
        "input_border_width": "1px", "input_padding": "8px 10px",
        "input_placeholder_color": "*neutral_500", "input_placeholder_color_dark": "#8f8c85",
        "input_shadow_focus": "0 0 0 2px *primary_200", "input_shadow_focus_dark": "0 0 0 2px *primary_800",
        "slider_color": "*primary_600", "slider_color_dark": "*primary_400",
        "loader_color": "*primary_600", "loader_color_dark": "*primary_400",
        "stat_background_fill": "*primary_200", "stat_background_fill_dark": "*primary_800",
    }  # fmt: skip


def _buttons() -> dict[str, str]:
    """One filled button for what a tab is for; the others are outlined. What stops or deletes is red."""
    return {
        "button_border_width": "1px", "button_transition": "background-color 0.12s, border-color 0.12s",
        "button_large_text_size": "*text_md", "button_large_text_weight": "600", "button_large_padding": "8px 16px",
        "button_medium_text_size": "*text_md", "button_medium_padding": "7px 14px",
        "button_small_text_size": "13px", "button_small_text_weight": "500", "button_small_padding": "4px 10px",
        "button_primary_background_fill": "*primary_600", "button_primary_background_fill_dark": "*primary_600",
        "button_primary_background_fill_hover": "*primary_700",
        "button_primary_background_fill_hover_dark": "*primary_700",
        "button_primary_border_color": "*primary_600", "button_primary_border_color_dark": "*primary_600",
        "button_primary_border_color_hover": "*primary_700", "button_primary_border_color_hover_dark": "*primary_700",
        "button_primary_text_color": "white",
        "button_secondary_background_fill": "white", "button_secondary_background_fill_dark": "*neutral_800",
        "button_secondary_background_fill_hover": "*neutral_100",
        "button_secondary_background_fill_hover_dark": "*neutral_700",
        "button_secondary_border_color": "*neutral_300", "button_secondary_border_color_dark": "*neutral_700",
        "button_secondary_text_color": "*neutral_800", "button_secondary_text_color_dark": "*neutral_100",
        "button_cancel_background_fill": "white", "button_cancel_background_fill_dark": "*neutral_900",
        "button_cancel_background_fill_hover": "#fef3f2", "button_cancel_background_fill_hover_dark": "#3b1512",
        "button_cancel_border_color": "#e9b9b4", "button_cancel_border_color_dark": "#7a271a",
        "button_cancel_text_color": _RED, "button_cancel_text_color_dark": _RED_DARK,
        "button_cancel_text_color_hover": _RED, "button_cancel_text_color_hover_dark": _RED_DARK,
    }  # fmt: skip


def _choices() -> dict[str, str]:
    """Boxes to tick and to choose from."""
    return {
        "checkbox_background_color": "white", "checkbox_background_color_dark": "*neutral_950",
        "checkbox_background_color_selected": "*primary_600", "checkbox_background_color_selected_dark": "*primary_600",
        "checkbox_border_color": "*neutral_400", "checkbox_border_color_dark": "*neutral_500",
        "checkbox_border_color_selected": "*primary_600", "checkbox_border_color_selected_dark": "*primary_400",
        "checkbox_border_color_focus": "*primary_600", "checkbox_border_color_focus_dark": "*primary_400",
        "checkbox_border_width": "1px", "checkbox_label_border_width": "1px",
        "checkbox_label_padding": "5px 10px", "checkbox_label_gap": "6px", "checkbox_shadow": "none",
        "checkbox_label_background_fill": "white", "checkbox_label_background_fill_dark": "*neutral_900",
        "checkbox_label_background_fill_hover": "*neutral_100",
        "checkbox_label_background_fill_hover_dark": "*neutral_800",
        "checkbox_label_background_fill_selected": "*primary_50",
        "checkbox_label_background_fill_selected_dark": "*primary_950",
        "checkbox_label_border_color": "*neutral_200", "checkbox_label_border_color_dark": "*neutral_700",
        "checkbox_label_border_color_selected": "*primary_300",
        "checkbox_label_border_color_selected_dark": "*primary_800",
        "checkbox_label_text_color": "*neutral_800", "checkbox_label_text_color_dark": "*neutral_100",
        "checkbox_label_text_color_selected": "*neutral_800", "checkbox_label_text_color_selected_dark": "*neutral_100",
    }  # fmt: skip
