//! The accounts' pictures: a coloured disc with head and shoulders, drawn and packed as PNG.

use std::io;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::accounts::Account;

/// Width and height in pixels.
const SIZE: u16 = 128;
/// Each pixel is the mean of this many samples a side, which smooths the edges.
const SAMPLES: u16 = 4;

/// A picture never changes, so a browser need not ask twice.
const HEADERS: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "max-age=86400")];

/// `GET /pictures/{file}`.
pub(crate) async fn serve(Path(file): Path<String>) -> Response {
    let account = file.strip_suffix(".png").and_then(Account::named);
    match account.map(|account| png(account.colour)) {
        Some(Ok(bytes)) => (HEADERS, bytes).into_response(),
        Some(Err(_)) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn png(colour: [u8; 3]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.into(), SIZE.into());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels(colour))?;
    Ok(bytes)
}

fn pixels(colour: [u8; 3]) -> Vec<u8> {
    let rows = (0..SIZE).flat_map(|y| (0..SIZE).map(move |x| (x, y)));
    rows.flat_map(|(x, y)| pixel(x, y, colour)).collect()
}

/// The mean of a pixel's samples; a sample outside the disc is transparent.
fn pixel(x: u16, y: u16, colour: [u8; 3]) -> [u8; 4] {
    let offsets = (0..SAMPLES).map(|step| (f32::from(step) + 0.5) / f32::from(SAMPLES));
    let samples = offsets.clone().flat_map(|dy| offsets.clone().map(move |dx| (dx, dy)));
    let place = |pixel: u16, offset: f32| (f32::from(pixel) + offset) / f32::from(SIZE);
    let seen: Vec<[f32; 3]> =
        samples.filter_map(|(dx, dy)| shade(place(x, dx), place(y, dy), colour)).collect();
    let channel = |index: usize| mean(seen.iter().map(|sample| sample[index]), seen.len());
    let all = usize::from(SAMPLES * SAMPLES);
    [channel(0), channel(1), channel(2), mean(seen.iter().map(|_| 255.0), all)]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a mean of at most 16 values between 0 and 255"
)]
fn mean(values: impl Iterator<Item = f32>, count: usize) -> u8 {
    (values.sum::<f32>() / count.max(1) as f32).round() as u8
}

/// What stands at a point of the unit square, or nothing outside the disc.
fn shade(x: f32, y: f32, colour: [u8; 3]) -> Option<[f32; 3]> {
    let within = |cx: f32, cy: f32, rx: f32, ry: f32| {
        ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) <= 1.0
    };
    if !within(0.5, 0.5, 0.5, 0.5) {
        return None;
    }
    let figure = within(0.5, 0.38, 0.17, 0.18) || within(0.5, 0.94, 0.31, 0.33);
    // A light from above: the ground darkens downwards, the figure stays nearly white.
    let light = if figure { 0.9 } else { 0.22 * (1.0 - y) };
    Some(colour.map(|channel| f32::from(channel) + (255.0 - f32::from(channel)) * light))
}
