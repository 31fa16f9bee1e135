//! Colours, type and spacing: two palettes with one accent, and a grid of 8 points.
//!
//! The colours are those of the development issuer's pages, so that the window and the browser page
//! that it leads to look like parts of one thing. Text has a contrast of at least 4.5 to 1.

use eframe::egui::{
    self, Color32, Context, CornerRadius, FontId, Shadow, Stroke, Style, TextStyle, Theme,
    ThemePreference, Ui, Vec2, Visuals,
};

use crate::args;
use crate::desktop::Scheme;

/// The step of the grid, in points. Distances are multiples of it, or its half.
pub const GRID: f32 = 8.0;
/// The widest that the column grows, in points.
pub const COLUMN: f32 = 424.0;
/// The height of a line of text, in points.
pub const LINE: f32 = 22.0;
/// The height of a button, in points.
pub const BUTTON: f32 = 44.0;
/// How round cards are.
pub const ROUND: CornerRadius = CornerRadius::same(16);
/// How round buttons and boxes are.
pub const ROUNDISH: CornerRadius = CornerRadius::same(10);

/// The colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub ground: Color32,
    /// Behind the content.
    pub card: Color32,
    /// A card's edge.
    pub line: Color32,
    /// A button's edge.
    pub edge: Color32,
    /// What is read first.
    pub text: Color32,
    /// What is read second.
    pub soft: Color32,
    /// The one colour that calls.
    pub accent: Color32,
    /// The same under the pointer.
    pub accent_hover: Color32,
    /// Text on it.
    pub on_accent: Color32,
    /// A breath of it, behind text.
    pub tint: Color32,
    /// What went wrong.
    pub alarm: Color32,
    /// Behind it.
    pub alarm_tint: Color32,
}

/// The colours by day.
pub(crate) const LIGHT: Palette = Palette {
    ground: Color32::from_rgb(0xf3, 0xf4, 0xf8),
    card: Color32::from_rgb(0xff, 0xff, 0xff),
    line: Color32::from_rgb(0xdc, 0xdf, 0xe8),
    edge: Color32::from_rgb(0x8d, 0x93, 0xa6),
    text: Color32::from_rgb(0x1b, 0x1d, 0x26),
    soft: Color32::from_rgb(0x5d, 0x62, 0x74),
    accent: Color32::from_rgb(0x4f, 0x46, 0xd8),
    accent_hover: Color32::from_rgb(0x43, 0x3a, 0xc2),
    on_accent: Color32::from_rgb(0xff, 0xff, 0xff),
    tint: Color32::from_rgb(0xf1, 0xf0, 0xfc),
    alarm: Color32::from_rgb(0xb3, 0x26, 0x1e),
    alarm_tint: Color32::from_rgb(0xfd, 0xee, 0xed),
};

/// The colours by night.
pub(crate) const DARK: Palette = Palette {
    ground: Color32::from_rgb(0x12, 0x13, 0x1a),
    card: Color32::from_rgb(0x1c, 0x1e, 0x28),
    line: Color32::from_rgb(0x34, 0x38, 0x48),
    edge: Color32::from_rgb(0x6d, 0x74, 0x8a),
    text: Color32::from_rgb(0xec, 0xee, 0xf5),
    soft: Color32::from_rgb(0xa2, 0xa8, 0xba),
    accent: Color32::from_rgb(0x8f, 0x8a, 0xff),
    accent_hover: Color32::from_rgb(0xa6, 0xa2, 0xff),
    on_accent: Color32::from_rgb(0x14, 0x14, 0x1f),
    tint: Color32::from_rgb(0x24, 0x27, 0x34),
    alarm: Color32::from_rgb(0xff, 0xb4, 0xab),
    alarm_tint: Color32::from_rgb(0x3a, 0x22, 0x24),
};

impl Palette {
    /// The colours in which `ui` is drawn.
    pub fn of(ui: &Ui) -> Self {
        if ui.visuals().dark_mode { DARK } else { LIGHT }
    }
}

/// Sets both styles up, and which of them is shown. `prefer` has the system's change.
pub fn apply(ctx: &Context, choice: args::Theme) {
    ctx.options_mut(|options| options.fallback_theme = Theme::Light);
    ctx.set_theme(match choice {
        args::Theme::System => ThemePreference::System,
        args::Theme::Light => ThemePreference::Light,
        args::Theme::Dark => ThemePreference::Dark,
    });
    ctx.style_mut_of(Theme::Light, |style| dress(style, Visuals::light(), &LIGHT));
    ctx.style_mut_of(Theme::Dark, |style| dress(style, Visuals::dark(), &DARK));
}

/// Shows what the desktop prefers. Where it says nothing, it is what winit knows, else light.
pub(crate) fn prefer(ctx: &Context, scheme: Scheme) {
    ctx.set_theme(match scheme {
        Scheme::Dark => ThemePreference::Dark,
        Scheme::Light => ThemePreference::Light,
        Scheme::NoPreference | Scheme::Unheard => ThemePreference::System,
    });
    ctx.request_repaint();
}

fn dress(style: &mut Style, visuals: Visuals, palette: &Palette) {
    style.visuals = colour(visuals, palette);
    style.text_styles = [
        (TextStyle::Heading, FontId::proportional(25.0)),
        (TextStyle::Body, FontId::proportional(15.5)),
        (TextStyle::Button, FontId::proportional(15.5)),
        (TextStyle::Small, FontId::proportional(13.0)),
        (TextStyle::Monospace, FontId::monospace(13.0)),
    ]
    .into();
    style.spacing.item_spacing = Vec2::splat(GRID);
    style.spacing.button_padding = Vec2::new(2.0 * GRID, GRID);
    style.url_in_tooltip = true;
}

fn colour(mut visuals: Visuals, palette: &Palette) -> Visuals {
    visuals.panel_fill = palette.ground;
    visuals.hyperlink_color = palette.accent;
    visuals.weak_text_color = Some(palette.soft);
    visuals.selection.bg_fill = palette.accent.gamma_multiply(0.3);
    visuals.selection.stroke = Stroke::new(1.0, palette.accent);
    visuals.interact_cursor = Some(egui::CursorIcon::PointingHand);
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, palette.text);
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, palette.line);
    // A focused widget takes the active look: a ring of two points shows where the keyboard is.
    let looks = [
        (&mut widgets.inactive, palette.card, Stroke::new(1.0, palette.edge)),
        (&mut widgets.hovered, palette.tint, Stroke::new(1.0, palette.accent)),
        (&mut widgets.active, palette.tint, Stroke::new(2.0, palette.accent)),
    ];
    for (look, fill, edge) in looks {
        look.weak_bg_fill = fill;
        look.bg_stroke = edge;
        look.fg_stroke = Stroke::new(1.0, palette.text);
        look.corner_radius = ROUNDISH;
        look.expansion = 0.0;
    }
    visuals
}

/// A card's shadow: hardly there.
pub(crate) fn shadow(ui: &Ui) -> Shadow {
    let strength = if ui.visuals().dark_mode { 80 } else { 20 };
    Shadow { offset: [0, 6], blur: 24, spread: 0, color: Color32::from_black_alpha(strength) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast ratio of WCAG 2.2.
    fn contrast(one: Color32, other: Color32) -> f32 {
        let light = |colour: Color32| {
            let [red, green, blue, _] = egui::Rgba::from(colour).to_array();
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (one, other) = (light(one), light(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_text_has_enough_contrast() {
        for palette in [LIGHT, DARK] {
            for (text, behind) in [
                (palette.text, palette.ground),
                (palette.text, palette.card),
                (palette.text, palette.tint),
                (palette.soft, palette.ground),
                (palette.soft, palette.card),
                (palette.soft, palette.tint),
                (palette.accent, palette.card),
                (palette.accent, palette.tint),
                (palette.on_accent, palette.accent),
                (palette.on_accent, palette.accent_hover),
                (palette.alarm, palette.alarm_tint),
                (palette.text, palette.alarm_tint),
                (palette.soft, palette.alarm_tint),
            ] {
                let contrast = contrast(text, behind);
                assert!(contrast >= 4.5, "{text:?} on {behind:?}: {contrast}");
            }
        }
    }
}
