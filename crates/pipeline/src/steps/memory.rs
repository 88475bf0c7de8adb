//! How much memory a job takes, and whether that much is free.
//!
//! Checked before anything is read, so that a job that would be killed halfway is refused with what
//! it needs. Free is what the system, the container and the shell's limits leave.

use effigy_model::face_model::Shape;
use effigy_train::Size;

use crate::error::{Error, Result};

/// Sizes, smallest first, with their names.
const SIZES: [(&str, Size); 3] = [
    ("small", Size::Small),
    ("medium", Size::Medium),
    ("large", Size::Large),
];

const MIB: u64 = 1 << 20;

/// Most memory that a training of two people on the processor took, and what each further person
/// adds; with 1500 faces each. `docs/figures.md` says how it was measured.
fn needed_bytes(size: Size, n_people: usize) -> u64 {
    let (two, each) = match size {
        Size::Small => (900, 350),
        Size::Medium => (2700, 900),
        Size::Large => (9800, 3700),
    };
    (two + each * n_people.saturating_sub(2) as u64) * MIB
}

/// Most memory that a making job took, measured on swaps: for any frame, and for each pixel of one.
const MAKING_BYTES: u64 = 280 * MIB;
const MAKING_BYTES_PER_PIXEL: u64 = 200;

/// Refuses to make `what`, such as a swap, in frames too large to hold.
pub(crate) fn check_making(
    what: &str,
    width: u32,
    height: u32,
    available_bytes: Option<u64>,
) -> Result<()> {
    let n_pixels = u64::from(width) * u64::from(height);
    let needed = MAKING_BYTES + MAKING_BYTES_PER_PIXEL * n_pixels;
    match available_bytes {
        Some(available) if available < needed => Err(Error::TooLittleMemory {
            wanted: format!("{what} in frames of {width} x {height}"),
            needed_mib: needed / MIB,
            available_mib: available / MIB,
            hint: "close other programs or make the clip smaller".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Refuses a training of a size that does not fit; says which would.
pub(crate) fn check_training(
    size: Size,
    n_people: usize,
    available_bytes: Option<u64>,
) -> Result<()> {
    let Some(available) = available_bytes else {
        return Ok(());
    };
    let needed = needed_bytes(size, n_people);
    if needed <= available {
        return Ok(());
    }
    let fits = |(_, size): &&(&str, Size)| needed_bytes(*size, n_people) <= available;
    let fitting: Vec<&str> = SIZES.iter().filter(fits).map(|(name, _)| *name).collect();
    let hint = if fitting.is_empty() {
        "no size fits; close other programs".to_owned()
    } else {
        format!("what fits: --size {}", fitting.join(", "))
    };
    Err(Error::TooLittleMemory {
        wanted: format!("training {}", name_of(size)),
        needed_mib: needed / MIB,
        available_mib: available / MIB,
        hint,
    })
}

/// What a size is called.
pub(crate) fn name_of(size: Size) -> &'static str {
    let named = SIZES.iter().find(|(_, other)| *other == size);
    named.map_or("of its own", |(name, _)| name)
}

/// The size that a network has, if it is one of them.
pub(crate) fn size_of(shape: Shape) -> Option<Size> {
    let mut sizes = SIZES.iter().map(|(_, size)| *size);
    sizes.find(|size| size.shape() == shape)
}

/// Memory that this program may still take, where the system reports it (Linux): the least of what
/// is free, what its container leaves and what its own limit leaves.
pub(crate) fn available_bytes() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let free = read("/proc/meminfo").and_then(|said| kib_after(&said, "MemAvailable:"));
    let group = read("/proc/self/cgroup").and_then(|said| {
        let path = said.lines().find_map(|line| line.strip_prefix("0::"))?;
        let folder = format!("/sys/fs/cgroup{}", path.trim_end_matches('/'));
        let of = |name: &str| read(&format!("{folder}/{name}"));
        left_in_group(
            &of("memory.max")?,
            &of("memory.current")?,
            &of("memory.stat")?,
        )
    });
    let own = read("/proc/self/limits").and_then(|said| {
        let taken = kib_after(&read("/proc/self/status")?, "VmSize:")?;
        Some(address_limit(&said)?.saturating_sub(taken))
    });
    [free, group, own].into_iter().flatten().min()
}

/// The number of a line such as `VmSize:  123 kB`, in bytes.
fn kib_after(said: &str, name: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// What a control group leaves, in bytes; cached files can be dropped.
fn left_in_group(most: &str, taken: &str, details: &str) -> Option<u64> {
    let most: u64 = most.trim().parse().ok()?; // "max" is no limit
    let taken: u64 = taken.trim().parse().ok()?;
    let mut lines = details.lines();
    let kept = lines.find_map(|line| line.strip_prefix("inactive_file "));
    let kept = kept.and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
    Some(most.saturating_sub(taken.saturating_sub(kept)))
}

/// The soft limit on addresses, as `ulimit -v` sets it, in bytes.
fn address_limit(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok() // "unlimited" is none
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_memory_names_the_sizes_that_fit() {
        let refused = check_training(Size::Large, 2, Some(3000 * MIB))
            .unwrap_err()
            .to_string();
        assert!(refused.contains("--size small, medium"), "{refused}");
        assert!(refused.contains("3000"), "{refused}");
        let refused = check_training(Size::Small, 2, Some(100 * MIB))
            .unwrap_err()
            .to_string();
        assert!(refused.contains("no size fits"), "{refused}");
        check_training(Size::Small, 2, Some(3000 * MIB)).unwrap();
        check_training(Size::Large, 2, None).unwrap();
    }

    #[test]
    fn every_person_takes_more() {
        for (_, size) in SIZES {
            assert!(needed_bytes(size, 2) < needed_bytes(size, 3));
        }
    }

    #[test]
    fn frames_that_do_not_fit_are_refused_with_what_they_need() {
        check_making("a swap", 1920, 1080, Some(1000 * MIB)).unwrap();
        let refused = check_making("a swap", 7680, 4320, Some(1000 * MIB)).unwrap_err();
        let refused = refused.to_string();
        assert!(
            refused.contains("a swap in frames of 7680 x 4320"),
            "{refused}"
        );
        assert!(refused.contains("6608 MiB"), "{refused}"); // 280 MiB and 200 bytes a pixel
    }

    #[test]
    fn limits_are_read_as_the_system_writes_them() {
        let limits = "Limit   Soft Limit  Hard Limit  Units\n\
            Max address space         2097152000           unlimited            bytes     \n";
        assert_eq!(address_limit(limits), Some(2_097_152_000));
        let none = "Max address space         unlimited            unlimited            bytes\n";
        assert_eq!(address_limit(none), None);
        assert_eq!(
            kib_after("VmPeak: 9 kB\nVmSize:\t  12 kB\n", "VmSize:"),
            Some(12 * 1024)
        );
        let details = "anon 5\ninactive_file 300\n";
        assert_eq!(left_in_group("1000\n", "900\n", details), Some(400));
        assert_eq!(left_in_group("max\n", "900\n", details), None);
    }

    #[test]
    fn linux_tells_what_is_free() {
        if cfg!(target_os = "linux") {
            assert!(MIB < available_bytes().unwrap());
        }
    }
}
