//! The account's picture: fetched, decoded and cut to a square, within limits.
//!
//! Its address comes from the provider, its bytes from wherever that leads, so both are taken with
//! care: no redirects, at most [`MAX_BYTES`], and dimensions that are known before a pixel is
//! decoded. Whatever is wrong with it, the window shows initials instead.

use std::io::Cursor;

use image::imageops::FilterType;
use image::{DynamicImage, ImageReader, Limits};

use crate::http;
use crate::messages::Picture;

/// The longest picture that is read, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// The largest width and height that are decoded, in pixels.
const MAX_SIDE: u32 = 4096;
/// The most memory that decoding may take, in bytes.
const MAX_MEMORY: u64 = 96 * 1024 * 1024;

/// The picture at `address`, if it is one.
pub(crate) async fn load(address: &str) -> Option<Picture> {
    let url = http::parse(address).ok()?;
    let response = http::client(&url).ok()?.get(url).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let bytes = http::body(response, MAX_BYTES).await?;
    // Decoding takes the processor, not the network: off the threads that carry tasks.
    tokio::task::spawn_blocking(move || decode(bytes)).await.ok()?
}

fn decode(bytes: Vec<u8>) -> Option<Picture> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    reader.limits(limits);
    reader.decode().ok().map(|image| square(&image))
}

/// The middle of the picture, in the size that is shown.
fn square(image: &DynamicImage) -> Picture {
    let side = u32::from(Picture::SIDE);
    Picture { rgba: image.resize_to_fill(side, side, FilterType::Triangle).to_rgba8().into_raw() }
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb, RgbImage};

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let image = RgbImage::from_pixel(width, height, Rgb([10, 20, 30]));
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn any_shape_becomes_a_square() {
        for (width, height) in [(8, 8), (300, 200), (1, 64)] {
            let picture = decode(png(width, height)).unwrap();
            assert_eq!(picture.rgba.len(), 4 * usize::from(Picture::SIDE).pow(2));
            assert_eq!(picture.rgba[..4], [10, 20, 30, 255]);
        }
    }

    #[test]
    fn a_picture_that_is_too_large_is_not_decoded() {
        assert!(decode(png(MAX_SIDE + 1, 1)).is_none());
    }

    #[test]
    fn what_is_no_picture_is_none() {
        assert!(decode(b"<svg/>".to_vec()).is_none());
        assert!(decode(png(8, 8)[..40].to_vec()).is_none());
    }
}
