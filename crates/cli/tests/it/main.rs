//! The program as its users run it: what it prints, how it ends and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

#[cfg(target_os = "linux")]
mod camera;
mod faces;
mod frames;
mod hostile;
mod inputs;
mod marks;
mod outputs;
mod scan;
mod shortage;
mod speak;
#[cfg(target_os = "linux")]
mod studio;
mod track;
mod voices;
