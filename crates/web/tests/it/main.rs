//! The studio as browsers and programs see it, through its router, without a socket.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

mod api;
mod browser;
mod pages;
mod uploads;
