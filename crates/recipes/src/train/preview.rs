//! Previews: sheets of what the networks are shown in training, for the eye.

use std::path::{Path, PathBuf};

use anyhow::Result;
use effigy_frame::Picture;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::data::people::{self, Split};
use crate::device::DeviceArgs;
use crate::train::blending;
use crate::train::mosaic::{CANVAS, mosaic};
use crate::train::occlusion;
use crate::train::pose_augmentation::Surface;

/// Whose training to look at, and where to write it
#[derive(clap::Args)]
pub(crate) struct Args {
    network: Network,
    /// Picture to write
    #[arg(short, long)]
    output: PathBuf,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Weights of the occlusion segmenter, to see which pictures they leave out
    #[arg(long, value_name = "FILE")]
    clear_by: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Network {
    Finder,
    Blending,
    Occlusion,
}

const COLUMNS: u32 = 5;
const ROWS: u32 = 4;

/// Writes a sheet of training pictures with the truth drawn in.
pub(crate) fn write(data: &Path, args: &Args) -> Result<()> {
    let sheet = match args.network {
        Network::Finder => mosaics(data, args.seed)?,
        Network::Blending => blending::preview(data, &args.device.open()?, args.seed)?,
        Network::Occlusion => match &args.clear_by {
            Some(head) => occlusion::preview_of_left_out(data, head)?,
            None => occlusion::preview(data, args.seed)?,
        },
    };
    sheet.save(&args.output)?;
    Ok(())
}

/// Draws what the finder is shown.
fn mosaics(data: &Path, seed: u64) -> Result<image::RgbImage> {
    let samples = people::read(data, Split::Train, |_| true)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sheet = image::RgbImage::new(COLUMNS * CANVAS, ROWS * CANVAS);
    let surface = Surface::new()?;
    for i in 0..COLUMNS * ROWS {
        let (picture, faces) = mosaic(&samples, &surface, &mut random);
        let marks: Vec<effigy_frame::Point2> = faces.iter().flat_map(|f| f.points).collect();
        for y in 0..picture.height() {
            for x in 0..picture.width() {
                let at = (i % COLUMNS * CANVAS + x, i / COLUMNS * CANVAS + y);
                sheet.put_pixel(at.0, at.1, image::Rgb(dotted(&picture, &marks, x, y)));
            }
        }
    }
    Ok(sheet)
}

/// The picture's colour, or green where a point is.
fn dotted(picture: &Picture, marks: &[effigy_frame::Point2], x: u32, y: u32) -> [u8; 3] {
    let hit = |p: &effigy_frame::Point2| p.x as u32 == x && p.y as u32 == y;
    if marks.iter().any(hit) {
        [0, 255, 0]
    } else {
        picture.get(x, y)
    }
}
