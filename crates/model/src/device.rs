//! Where the networks run: the processor, or a graphics card through Vulkan, Metal or DX12.
//!
//! Nothing falls back in silence: a graphics card that was asked for and is missing is an error.

use burn::prelude::Device;

use crate::error::{Error, Result};

/// Which device the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The processor.
    #[default]
    Cpu,
    /// A graphics card: the best one, or the one with this number in [`list`].
    Gpu(Option<usize>),
}

/// An available device, as it is listed for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What selects it: `cpu`, `gpu:0`, …
    pub name: String,
    /// What it is, in words.
    pub description: String,
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(number)) => write!(f, "gpu:{number}"),
        }
    }
}

impl std::str::FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let refused = || format!("{text:?} is no device; use cpu, gpu or gpu:N");
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "gpu" => Ok(Self::Gpu(None)),
            Some(("gpu", number)) => number
                .parse()
                .map(|n| Self::Gpu(Some(n)))
                .map_err(|_bad_number| refused()),
            _ => Err(refused()),
        }
    }
}

/// Opens the chosen device.
///
/// # Errors
/// When a graphics card was asked for and this build or this machine has none.
pub fn open(choice: Choice) -> Result<Device> {
    match choice {
        Choice::Cpu => Ok(Device::flex()),
        Choice::Gpu(number) => open_gpu(number),
    }
}

/// Whether networks on this device run on the processor.
pub(crate) fn is_processor(device: &Device) -> bool {
    *device == Device::flex()
}

/// Lists the available devices, the processor first.
pub fn list() -> Vec<Listed> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = Listed {
        name: "cpu".to_owned(),
        description: format!("processor, {threads} threads"),
    };
    std::iter::once(cpu).chain(list_gpus()).collect()
}

#[cfg(feature = "gpu")]
fn gpus() -> Vec<Device> {
    use burn::tensor::DeviceType;
    Device::enumerate(DeviceType::Wgpu).into_iter().collect()
}

#[cfg(feature = "gpu")]
fn open_gpu(number: Option<usize>) -> Result<Device> {
    let wanted = number.map_or("gpu".to_owned(), |n| format!("gpu:{n}"));
    let mut devices = gpus();
    let number = number.unwrap_or(0);
    if number < devices.len() {
        return Ok(devices.swap_remove(number));
    }
    let reason = format!(
        "{} graphics devices were found; `effigy devices` lists them",
        devices.len()
    );
    Err(Error::NoDevice { wanted, reason })
}

#[cfg(feature = "gpu")]
fn list_gpus() -> Vec<Listed> {
    let describe = |(number, device): (usize, Device)| Listed {
        name: format!("gpu:{number}"),
        description: device
            .identity()
            .map_or_else(|| format!("{device:?}"), |known| described(known.name)),
    };
    gpus().into_iter().enumerate().map(describe).collect()
}

/// Names a device, and says so where it is only a program on the processor.
#[cfg(feature = "gpu")]
fn described(name: String) -> String {
    const SOFTWARE: [&str; 3] = ["llvmpipe", "SwiftShader", "Basic Render"];
    if SOFTWARE.iter().any(|software| name.contains(software)) {
        format!(
            "{name}: no graphics card, but a program that does its work on the processor, slower than cpu"
        )
    } else {
        name
    }
}

#[cfg(not(feature = "gpu"))]
fn open_gpu(number: Option<usize>) -> Result<Device> {
    let wanted = number.map_or("gpu".to_owned(), |n| format!("gpu:{n}"));
    let reason = "this program was built for the processor only; `EFFIGY_GPU=1 ./effigy` builds it \
                  with GPU support";
    Err(Error::NoDevice {
        wanted,
        reason: reason.to_owned(),
    })
}

#[cfg(not(feature = "gpu"))]
fn list_gpus() -> Vec<Listed> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_are_parsed_and_nonsense_is_refused() {
        assert_eq!("cpu".parse(), Ok(Choice::Cpu));
        assert_eq!("gpu".parse(), Ok(Choice::Gpu(None)));
        assert_eq!("gpu:2".parse(), Ok(Choice::Gpu(Some(2))));
        for bad in ["", "cuda", "gpu:", "gpu:x", "cpu:0"] {
            assert!(bad.parse::<Choice>().is_err(), "{bad}");
        }
    }
}
