//! How much memory a training takes, by size of the network, and whether there is as much.

use effigy_train::Size;

use crate::error::{Error, Result};

/// Sizes, smallest first, as they are written.
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

/// Refuses a size that does not fit; says which would.
pub(super) fn check(size: Size, n_people: usize, available_bytes: Option<u64>) -> Result<()> {
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
        wanted: name_of(size),
        needed_mib: needed / MIB,
        available_mib: available / MIB,
        hint,
    })
}

/// What a size is called.
pub(super) fn name_of(size: Size) -> &'static str {
    let named = SIZES.iter().find(|(_, other)| *other == size);
    named.map_or("of its own", |(name, _)| name)
}

/// Memory that programs may still take, where the system tells (Linux).
pub(super) fn available_bytes() -> Option<u64> {
    let said = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = said.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_memory_names_the_sizes_that_fit() {
        let refused = check(Size::Large, 2, Some(3000 * MIB))
            .unwrap_err()
            .to_string();
        assert!(refused.contains("--size small, medium"), "{refused}");
        assert!(refused.contains("3000"), "{refused}");
        let refused = check(Size::Small, 2, Some(100 * MIB))
            .unwrap_err()
            .to_string();
        assert!(refused.contains("no size fits"), "{refused}");
        check(Size::Small, 2, Some(3000 * MIB)).unwrap();
        check(Size::Large, 2, None).unwrap();
    }

    #[test]
    fn every_person_takes_more() {
        for (_, size) in SIZES {
            assert!(needed_bytes(size, 2) < needed_bytes(size, 3));
        }
    }

    #[test]
    fn linux_tells_what_is_free() {
        if cfg!(target_os = "linux") {
            assert!(MIB < available_bytes().unwrap());
        }
    }
}
