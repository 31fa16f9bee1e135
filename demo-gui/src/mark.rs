//! The mark: a key on a rounded square, in the window's header and as the window's icon.
//!
//! Its shape is given on a square of 32 units, as in the issuer's pages.

use eframe::egui::{Color32, IconData, Pos2, Rect, Stroke, Ui, Vec2, pos2, vec2};

const UNITS: f32 = 32.0;
const CORNER: f32 = 9.0;
const STROKE: f32 = 2.6;
/// The key's ring.
const RING: (Pos2, f32) = (pos2(12.5, 16.0), 4.6);
/// The key's shaft and its bit.
const LINES: [[Pos2; 2]; 2] =
    [[pos2(17.1, 16.0), pos2(26.0, 16.0)], [pos2(23.0, 16.0), pos2(23.0, 20.0)]];

/// Paints the mark into `place`.
pub(crate) fn paint(ui: &Ui, place: Rect, ground: Color32, key: Color32) {
    let scale = place.width() / UNITS;
    let at = |point: Pos2| place.min + point.to_vec2() * scale;
    let painter = ui.painter();
    painter.rect_filled(place, CORNER * scale, ground);
    let stroke = Stroke::new(STROKE * scale, key);
    painter.circle_stroke(at(RING.0), RING.1 * scale, stroke);
    for [from, to] in LINES {
        painter.line_segment([at(from), at(to)], stroke);
    }
}

/// The window's icon.
pub(crate) fn icon(ground: Color32, key: Color32) -> IconData {
    const SIDE: u16 = 64;
    let scale = UNITS / f32::from(SIDE);
    let centres = || (0..SIDE).map(|index| (f32::from(index) + 0.5) * scale);
    let pixels = centres().flat_map(|y| centres().map(move |x| pos2(x, y)));
    let rgba = pixels.flat_map(|point| {
        let on_key = coverage(distance_to_key(point), scale);
        let [red, green, blue, _] = ground.lerp_to_gamma(key, on_key).to_array();
        let opacity = Color32::WHITE.gamma_multiply(coverage(distance_to_square(point), scale));
        [red, green, blue, opacity.a()]
    });
    IconData { rgba: rgba.collect(), width: SIDE.into(), height: SIDE.into() }
}

/// How much of a pixel of size `pixel` is within an edge at `distance`: the edge is smooth.
fn coverage(distance: f32, pixel: f32) -> f32 {
    (0.5 - distance / pixel).clamp(0.0, 1.0)
}

fn distance_to_square(point: Pos2) -> f32 {
    let centre = Pos2::ZERO + Vec2::splat(UNITS / 2.0);
    let inner = Vec2::splat(UNITS / 2.0 - CORNER);
    let beyond = (point - centre).abs() - inner;
    beyond.max(Vec2::ZERO).length() + beyond.x.max(beyond.y).min(0.0) - CORNER
}

fn distance_to_key(point: Pos2) -> f32 {
    let ring = ((point - RING.0).length() - RING.1).abs();
    let lines = LINES.iter().map(|line| distance_to_line(point, *line));
    lines.fold(ring, f32::min) - STROKE / 2.0
}

fn distance_to_line(point: Pos2, [from, to]: [Pos2; 2]) -> f32 {
    let way = to - from;
    let along = ((point - from).dot(way) / way.length_sq()).clamp(0.0, 1.0);
    (point - (from + way * along)).length()
}

/// Room for the mark, `side` points wide.
pub(crate) fn show(ui: &mut Ui, side: f32, ground: Color32, key: Color32) {
    let (place, _) = ui.allocate_exact_size(vec2(side, side), eframe::egui::Sense::hover());
    paint(ui, place, ground, key);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_a_key_on_a_rounded_square() {
        let icon = icon(Color32::BLUE, Color32::WHITE);
        let pixel = |x: usize, y: usize| &icon.rgba[4 * (y * 64 + x)..][..4];
        assert_eq!(pixel(0, 0)[3], 0, "the corner is clear");
        assert_eq!(pixel(32, 5), [0, 0, 255, 255], "the ground");
        assert_eq!(pixel(40, 32), [255, 255, 255, 255], "the shaft");
    }
}
