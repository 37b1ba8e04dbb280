//! The picture on a login form: what owners upload, made into a small PNG.

use crate::{Actor, App, Failure};
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, imageops::FilterType};
use sha2::{Digest, Sha256};
use std::io::Cursor;

/// The largest picture that is shown, in pixels; larger ones are made smaller.
const MOST: (u32, u32) = (512, 128);
/// The largest picture that is read, in pixels on each side.
const MOST_READ: u32 = 6000;
/// The most memory that reading one may take, in bytes: a small file can say that it is huge.
const MEMORY: u64 = 160 * 1024 * 1024;

impl App {
    /// Stores a picture for the login form of a website: its hash, for the form.
    pub async fn website_logo_put(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        file: Vec<u8>,
    ) -> Result<String, Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let _slot = self.cpu_slots.acquire().await.map_err(Failure::internal)?;
        let made = tokio::task::spawn_blocking(move || png(&file)).await.map_err(Failure::internal)?;
        let png = made.map_err(|sentence| Failure::invalid("logo_file", sentence))?;
        let hash = hex::encode(Sha256::digest(&png));
        self.storage.website_logo_put(website.id, &hash, &png, self.clock.now()).await?;
        Ok(hash)
    }
}

/// The picture as PNG and no larger than it is shown. It is drawn anew, so nothing but the picture is left of the file.
fn png(file: &[u8]) -> Result<Vec<u8>, String> {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| unreadable())?;
    let format = reader.format().ok_or_else(|| unknown(file))?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return Err(unknown(file));
    }
    let picture = read(reader)?;
    let fits = picture.width() <= MOST.0 && picture.height() <= MOST.1;
    let picture = if fits { picture } else { picture.resize(MOST.0, MOST.1, FilterType::Lanczos3) };
    let mut made = Cursor::new(Vec::new());
    let picture = DynamicImage::from(picture.to_rgba8());
    picture.write_to(&mut made, ImageFormat::Png).map_err(|_| unreadable())?;
    Ok(made.into_inner())
}

fn read(mut reader: ImageReader<Cursor<&[u8]>>) -> Result<DynamicImage, String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_READ);
    limits.max_image_height = Some(MOST_READ);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refused(&error))?;
    // Cameras turn pictures by a note in the file, which is gone afterwards.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| refused(&error))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn refused(error: &image::ImageError) -> String {
    match error {
        image::ImageError::Limits(_) => {
            format!(
                "This picture is too large: at most {MOST_READ} pixels on each side. Make it smaller first."
            )
        }
        _ => unreadable(),
    }
}

fn unreadable() -> String {
    "This picture cannot be read: the file is damaged or not complete. Export it again as PNG.".into()
}

fn unknown(file: &[u8]) -> String {
    let start = String::from_utf8_lossy(&file[..file.len().min(1024)]).to_lowercase();
    if start.contains("<svg") || start.trim_start().starts_with("<?xml") {
        return "SVG is not taken, because it can hold programs. Export the picture as PNG, at least 256 pixels wide.".into();
    }
    "This is no picture that can be used. Take a PNG, a JPEG or a WebP.".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbaImage;

    fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let picture =
            DynamicImage::from(RgbaImage::from_pixel(width, height, image::Rgba([10, 90, 70, 255])));
        let picture = if format == ImageFormat::Jpeg { picture.to_rgb8().into() } else { picture };
        picture.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    #[test]
    fn three_formats_become_small_pngs() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let made = image::load_from_memory_with_format(
                &png(&file(2000, 100, format)).unwrap(),
                ImageFormat::Png,
            );
            let made = made.unwrap();
            assert_eq!((made.width(), made.height()), (512, 26), "{format:?}");
            assert_eq!(made.to_rgba8().get_pixel(5, 5).0[3], 255, "{format:?}");
        }
        let small = png(&file(40, 20, ImageFormat::Png)).unwrap();
        assert_eq!(
            image::load_from_memory(&small).unwrap().width(),
            40,
            "a small one stays as large as it is"
        );
    }

    #[test]
    fn nothing_but_the_picture_is_left_of_the_file() {
        let mut with_more = file(20, 20, ImageFormat::Png);
        with_more.extend(b"<script>alert(1)</script>");
        let made = png(&with_more).unwrap();
        assert!(!made.windows(7).any(|part| part == b"<script"));
    }

    #[test]
    fn what_is_no_picture_gets_a_sentence() {
        for (file, sentence) in [
            (&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], "SVG is not taken"),
            (b"<?xml version='1.0'?><svg/>", "SVG is not taken"),
            (b"GIF89a\x01\x00\x01\x00", "PNG, a JPEG or a WebP"),
            (b"", "PNG, a JPEG or a WebP"),
            (b"\x89PNG\r\n\x1a\nnonsense", "cannot be read"),
        ] {
            let refusal = png(file).unwrap_err();
            assert!(refusal.contains(sentence), "{refusal}");
        }
    }

    #[test]
    fn a_small_file_that_says_it_is_huge_is_not_unpacked() {
        // A PNG whose head tells of 60,000 by 60,000 pixels, 14 GB unpacked.
        let mut bomb = file(8, 8, ImageFormat::Png);
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        let mut crc = crc32(&bomb[12..29]).to_be_bytes();
        bomb[29..33].swap_with_slice(&mut crc);
        let refusal = png(&bomb).unwrap_err();
        assert!(refusal.contains("too large"), "{refusal}");
    }

    /// PNG, section 5.4.
    fn crc32(bytes: &[u8]) -> u32 {
        let step = |mut c: u32| {
            for _ in 0..8 {
                c = if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 };
            }
            c
        };
        !bytes.iter().fold(u32::MAX, |crc, byte| step((crc ^ u32::from(*byte)) & 0xff) ^ (crc >> 8))
    }
}
