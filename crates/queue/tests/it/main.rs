//! The queue and the store as their users see them, in every database that jobs are kept in.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod claims;
mod killed;
mod load;
mod place;
mod programs;
mod scan;
mod store;
mod worker;

use place::Place;

/// Every claim, on a fresh database each.
fn check(place: &Place) {
    for (name, claim) in claims::ALL {
        eprintln!("{}: {name}", place.name());
        place.run(claim(place.fresh()));
    }
}

#[test]
fn sqlite_keeps_every_claim() {
    check(&Place::sqlite());
}

#[test]
fn postgres_keeps_every_claim() {
    if let Some(place) = Place::postgres("postgres_keeps_every_claim") {
        check(&place);
    }
}
