//! `faces`: find, follow and tell apart the faces in videos and pictures.

use std::path::PathBuf;

use effigy_pipeline::faces::{CropFilter, CropOrder, CropSettings, FacesOutput, PointScheme};
use effigy_pipeline::{Choice, FacesJob, Networks};

use crate::commands::table;
use crate::environment::Force;
use crate::output::{Exit, Output};
use crate::values::{SkipDamaged, input, within};
use crate::weights::weights;

/// Find, track and tell apart the faces in videos and pictures
///
/// Prints who was seen, for how long, and how they turn. With -o it also writes faces.jsonl: one
/// line per face and frame with box, points, pose, score and sharpness. Exits with 2 when an
/// input could not be read; the others are still processed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Videos, pictures, folders of them, or a pattern such as shot-%05d.png
    #[arg(required = true, value_parser = input(), value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder to write to; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Where the networks run: cpu, gpu or gpu:N; `effigy devices` lists what is there
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(super) device: Choice,
    /// Smallest face to look for, in pixels [default: 24, or 1/160 of the longer side if that is more]
    #[arg(long, alias = "smallest", value_name = "PX", value_parser = within(8.0_f32, 8192.0))]
    min_face: Option<f32>,
    #[command(flatten)]
    skip_damaged: SkipDamaged,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    writing: Writing,
}

/// What goes into the output folder besides faces.jsonl.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "What to write (needs -o)")]
struct Writing {
    /// Points of each face: all 478 of the mesh, or the 68 of the iBUG scheme
    #[arg(long, default_value = "478", value_parser = ["478", "68"], value_name = "SCHEME")]
    points: String,
    /// Add the identity vector to each line; slower
    #[arg(long, requires = "output")]
    identity: bool,
    /// Write each input again with the mesh drawn on it
    #[arg(long, requires = "output")]
    overlay: bool,
    /// Write a contact sheet of each person
    #[arg(long, alias = "sheet", requires = "output")]
    contact_sheet: bool,
    /// Write aligned crops with sides of this many pixels
    #[arg(long, requires = "output", value_name = "SIDE", value_parser = clap::value_parser!(u32).range(16..=2048))]
    crops: Option<u32>,
    #[command(flatten)]
    filter: Filter,
}

/// Which crops are kept, and in which order.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Which crops (needs --crops)")]
struct Filter {
    /// Only this person, by number; may be given several times
    #[arg(long, requires = "crops", value_name = "N")]
    person: Vec<u32>,
    /// Minimum sharpness, 0 to 1
    #[arg(
        long,
        requires = "crops",
        default_value_t = 0.0,
        value_name = "SHARPNESS",
        value_parser = within(0.0_f32, 1.0)
    )]
    min_sharpness: f32,
    /// Minimum size of the face in the frame, in pixels
    #[arg(long, requires = "crops", default_value_t = 0.0, value_name = "PX", value_parser = within(0.0_f32, 8192.0))]
    min_size: f32,
    /// Maximum turn to either side, in degrees
    #[arg(
        long,
        requires = "crops",
        default_value_t = 180.0,
        value_name = "DEGREES",
        value_parser = within(0.0_f32, 180.0)
    )]
    max_yaw: f32,
    /// Maximum nod up or down, in degrees
    #[arg(
        long,
        requires = "crops",
        default_value_t = 90.0,
        value_name = "DEGREES",
        value_parser = within(0.0_f32, 90.0)
    )]
    max_pitch: f32,
    /// Minimum brightness, 0 to 1
    #[arg(long, requires = "crops", default_value_t = 0.0, value_name = "LIGHT", value_parser = within(0.0_f32, 1.0))]
    min_light: f32,
    /// Maximum brightness, 0 to 1
    #[arg(long, requires = "crops", default_value_t = 1.0, value_name = "LIGHT", value_parser = within(0.0_f32, 1.0))]
    max_light: f32,
    /// Leave out crops that look nearly like an earlier one
    #[arg(long, alias = "distinct", requires = "crops")]
    dedupe: bool,
    /// What the crops of a person are sorted by
    #[arg(long, requires = "crops", default_value = "time", value_name = "ORDER")]
    sort: Order,
    /// Keep only the first N crops of each person, in this order
    #[arg(long, alias = "most", requires = "crops", value_name = "N")]
    max_crops: Option<usize>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Order {
    /// As they come
    Time,
    /// The sharpest first
    Sharpness,
    /// The largest first
    Size,
    /// From the subject's right to the left
    Yaw,
    /// From looking down to looking up
    Pitch,
    /// The brightest first
    Light,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let mut job = FacesJob {
        output: args
            .output
            .as_ref()
            .map(|folder| writing(folder.clone(), args)),
        damage: args.skip_damaged.into(),
        ..FacesJob::new(args.inputs.clone())
    };
    if let Some(smallest) = args.min_face {
        job.tracking.find.smallest_px = smallest;
        job.tracking.find.smallest_share = 0.0;
    }
    job.check()?;
    output.say(format_args!("device: {}", args.device));
    let networks = Networks::load(&weights()?, args.device)?;
    let report = effigy_pipeline::faces(&job, &networks, &mut output.progress())?;
    if args.json {
        output.data(table::faces_json(&report))?;
    } else {
        output.data(table::faces_text(&report))?;
    }
    for place in &report.damaged {
        output.say(format_args!("left out: {place}"));
    }
    for number in &report.unseen {
        output.say(format_args!(
            "no crops of person {number}: {}",
            match report.people.len() {
                0 => "nobody was seen".to_owned(),
                1 => "only person 1 was seen".to_owned(),
                n => format!("people 1 to {n} were seen"),
            }
        ));
    }
    Ok(if report.failed.is_empty() && report.unseen.is_empty() {
        Exit::Nothing
    } else {
        Exit::Failed
    })
}

fn writing(folder: PathBuf, args: &Args) -> FacesOutput {
    let existing = args.force.existing();
    let args = &args.writing;
    FacesOutput {
        folder,
        existing,
        points: if args.points == "68" {
            PointScheme::Ibug68
        } else {
            PointScheme::Mesh478
        },
        identity: args.identity,
        overlay: args.overlay,
        sheet: args.contact_sheet,
        crops: args.crops.map(|side_px| CropSettings {
            side_px,
            filter: filter(&args.filter),
            order: order(args.filter.sort),
            most_per_person: args.filter.max_crops,
        }),
    }
}

fn filter(args: &Filter) -> CropFilter {
    CropFilter {
        people: args.person.clone(),
        least_sharpness: args.min_sharpness,
        least_size_px: args.min_size,
        most_yaw: args.max_yaw,
        most_pitch: args.max_pitch,
        least_light: args.min_light,
        most_light: args.max_light,
        dedupe: args.dedupe,
    }
}

fn order(order: Order) -> CropOrder {
    match order {
        Order::Time => CropOrder::Time,
        Order::Sharpness => CropOrder::Sharpness,
        Order::Size => CropOrder::Size,
        Order::Yaw => CropOrder::Yaw,
        Order::Pitch => CropOrder::Pitch,
        Order::Light => CropOrder::Light,
    }
}
