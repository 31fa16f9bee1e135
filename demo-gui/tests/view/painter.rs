//! Paints what egui hands to a graphics card, without one: the same picture on every machine.
//!
//! Positions are whole 256ths of a pixel and edges follow the top-left rule, as on a card, so that
//! two triangles that share an edge paint each of its pixels once.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a window is small"
)]

use std::collections::HashMap;

use eframe::egui::epaint::{ImageData, ImageDelta, Primitive, Vertex};
use eframe::egui::{
    Color32, ColorImage, Context, FullOutput, Pos2, Rect, TextureId, TexturesDelta,
};
use egui_kittest::TestRenderer;
use image::RgbaImage;

/// Parts of a pixel.
const PARTS: f32 = 256.0;

/// What colours are rounded to: a shadow then has few shades, and a picture few bytes.
const STEP: f32 = 5.0;

/// Keeps the textures, and paints.
#[derive(Default)]
pub(crate) struct Painter {
    textures: HashMap<TextureId, ColorImage>,
}

impl TestRenderer for Painter {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for (id, images) in delta.set.drain() {
            images.into_iter().for_each(|image| self.update(id, image));
        }
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let scale = ctx.pixels_per_point();
        let mut canvas = Canvas::of(ctx.content_rect() * scale);
        for shown in ctx.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = shown.primitive else {
                return Err("only meshes are painted".to_owned());
            };
            let texture = self.textures.get(&mesh.texture_id).ok_or("a texture is missing")?;
            for corners in mesh.indices.chunks_exact(3) {
                let corner =
                    |index: usize| Corner::of(&mesh.vertices[corners[index] as usize], scale);
                canvas.triangle(
                    [corner(0), corner(1), corner(2)],
                    texture,
                    shown.clip_rect * scale,
                );
            }
        }
        Ok(canvas.finish())
    }
}

impl Painter {
    fn update(&mut self, id: TextureId, delta: ImageDelta) {
        let ImageData::Color(image) = delta.image;
        let Some([left, top]) = delta.pos else {
            self.textures.insert(id, ColorImage::clone(&image));
            return;
        };
        let texture = self.textures.get_mut(&id).unwrap();
        for y in 0..image.height() {
            for x in 0..image.width() {
                texture[(left + x, top + y)] = image[(x, y)];
            }
        }
    }
}

/// A corner of a triangle, in parts of a pixel.
#[derive(Clone, Copy)]
struct Corner {
    x: i64,
    y: i64,
    colour: Color32,
    uv: Pos2,
}

impl Corner {
    fn of(vertex: &Vertex, scale: f32) -> Self {
        let at = |along: f32| (along * scale * PARTS).round() as i64;
        let colour = vertex.color;
        Self { x: at(vertex.pos.x), y: at(vertex.pos.y), colour, uv: vertex.uv }
    }
}

/// Twice the area of a triangle; positive where its corners go clockwise on the screen.
fn area(a: (i64, i64), b: (i64, i64), c: (i64, i64)) -> i64 {
    (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
}

/// Whether the pixels on the edge from `a` to `b` belong to the triangle on its right.
const fn owns(a: Corner, b: Corner) -> bool {
    (a.y == b.y && b.x > a.x) || b.y < a.y
}

struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
}

impl Canvas {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a window is small"
    )]
    fn of(screen: Rect) -> Self {
        let (width, height) = (screen.width().round() as usize, screen.height().round() as usize);
        Self { width, height, pixels: vec![[0.0, 0.0, 0.0, 255.0]; width * height] }
    }

    fn triangle(&mut self, corners: [Corner; 3], texture: &ColorImage, clip: Rect) {
        let [a, b, c] = corners;
        let whole = area((a.x, a.y), (b.x, b.y), (c.x, c.y));
        match whole {
            0 => return,
            ..0 => return self.triangle([a, c, b], texture, clip),
            1.. => {}
        }
        let flat = is_flat(&corners).then(|| shade(corners, [1.0, 0.0, 0.0], texture));
        let (columns, rows) = self.reach(corners, clip);
        for row in rows {
            for column in columns.clone() {
                let at = (centre(column), centre(row));
                let Some(weights) = weights(corners, at, whole) else { continue };
                let colour = flat.unwrap_or_else(|| shade(corners, weights, texture));
                self.blend(column, row, colour);
            }
        }
    }

    /// The pixels that a triangle may touch.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a window is small"
    )]
    fn reach(
        &self,
        corners: [Corner; 3],
        clip: Rect,
    ) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let span = |along: [i64; 3], from: f32, to: f32, size: usize| {
            let least = along.into_iter().fold(i64::MAX, i64::min) as f32 / PARTS;
            let most = along.into_iter().fold(i64::MIN, i64::max) as f32 / PARTS;
            let from = least.floor().max(from.round()).max(0.0) as usize;
            from..(most.ceil().min(to.round()).max(0.0) as usize).min(size)
        };
        let xs = span(corners.map(|corner| corner.x), clip.left(), clip.right(), self.width);
        let ys = span(corners.map(|corner| corner.y), clip.top(), clip.bottom(), self.height);
        (xs, ys)
    }

    /// Colours are premultiplied.
    fn blend(&mut self, x: usize, y: usize, colour: [f32; 4]) {
        let through = 1.0 - colour[3] / 255.0;
        for (below, above) in self.pixels[y * self.width + x].iter_mut().zip(colour) {
            *below = above + *below * through;
        }
    }

    fn finish(self) -> RgbaImage {
        let step = |part: &f32| ((part / STEP).round() * STEP).clamp(0.0, 255.0) as u8;
        let bytes = self.pixels.iter().flatten().map(step);
        let (width, height) = (self.width as u32, self.height as u32);
        RgbaImage::from_raw(width, height, bytes.collect()).unwrap()
    }
}

/// The middle of a pixel, in its parts.
const fn centre(pixel: usize) -> i64 {
    pixel as i64 * 256 + 128
}

/// How near a point is to each corner; `None` outside of the triangle.
fn weights([a, b, c]: [Corner; 3], at: (i64, i64), whole: i64) -> Option<[f32; 3]> {
    let edge = |from: Corner, to: Corner| {
        let beside = area((from.x, from.y), (to.x, to.y), at);
        (beside > 0 || (beside == 0 && owns(from, to))).then_some(beside as f32 / whole as f32)
    };
    Some([edge(b, c)?, edge(c, a)?, edge(a, b)?])
}

/// Whether a triangle has one colour: most of a window is made of those.
fn is_flat([a, b, c]: &[Corner; 3]) -> bool {
    let same = |other: &Corner| a.colour == other.colour && a.uv == other.uv;
    same(b) && same(c)
}

fn shade(corners: [Corner; 3], weights: [f32; 3], texture: &ColorImage) -> [f32; 4] {
    let mut colour = [0.0; 4];
    let mut uv = Pos2::ZERO;
    for (corner, weight) in corners.iter().zip(weights) {
        for (sum, part) in colour.iter_mut().zip(corner.colour.to_array()) {
            *sum += f32::from(part) * weight;
        }
        uv += corner.uv.to_vec2() * weight;
    }
    let texel = sample(texture, uv);
    [0, 1, 2, 3].map(|part| colour[part] * texel[part] / 255.0)
}

/// The texture there, between its four nearest texels.
fn sample(texture: &ColorImage, uv: Pos2) -> [f32; 4] {
    let along = |position: f32, size: usize| {
        let position = (position * size as f32 - 0.5).clamp(0.0, (size - 1) as f32);
        let first = position.floor();
        (first as usize, (first as usize + 1).min(size - 1), position - first)
    };
    let (left, right, x) = along(uv.x, texture.width());
    let (top, bottom, y) = along(uv.y, texture.height());
    let texel = |column, row| texture[(column, row)].to_array().map(f32::from);
    let mix = |from: [f32; 4], to: [f32; 4], along: f32| {
        [0, 1, 2, 3].map(|part| from[part] + (to[part] - from[part]) * along)
    };
    let above = mix(texel(left, top), texel(right, top), x);
    mix(above, mix(texel(left, bottom), texel(right, bottom), x), y)
}
