//! How the points of strangers move, with what they do.

use anyhow::Result;
use effigy_face::rig::{
    EXPRESSIONS, N_EXPRESSIONS, Person, Rig, Solver, SolverSettings, expression, moved,
};
use effigy_frame::Point3;
use effigy_model::expression_reader::N_MOVED;
use effigy_model::mean_mesh;

use crate::mirror::mirror_of;
use crate::train::drawn::Drawn;

/// One act as the reader is shown it.
pub(super) struct Movement {
    pub(super) moved: Box<[f32; N_MOVED]>,
    /// By the solver alone.
    pub(super) solved: [f32; N_EXPRESSIONS],
    /// As it is.
    pub(super) truth: [f32; N_EXPRESSIONS],
}

/// The movements of a stranger and of who they are in the mirror.
pub(super) fn of(rig: &Rig, acts: &[Drawn]) -> Result<Vec<Movement>> {
    let mirror = mirror_of(mean_mesh())?;
    let seen: Vec<Vec<Point3>> = acts.iter().map(|act| act.found.clone()).collect();
    let mirrored: Vec<Vec<Point3>> = seen
        .iter()
        .map(|points| {
            let flipped = mirror.iter().map(|&i| points[i]);
            flipped.map(|p| Point3::new(-p.x, p.y, p.z)).collect()
        })
        .collect();
    let other_side = other_sides();
    let mut movements = by(rig, &seen, |i| acts[i].weights);
    movements.extend(by(rig, &mirrored, |i| {
        std::array::from_fn(|k| acts[i].weights[other_side[k]])
    }));
    Ok(movements)
}

fn by(
    rig: &Rig,
    frames: &[Vec<Point3>],
    truth: impl Fn(usize) -> [f32; N_EXPRESSIONS],
) -> Vec<Movement> {
    let person = Person::fit(rig, frames);
    let movement = |(i, points): (usize, &Vec<Point3>)| {
        let pose = Solver::new(SolverSettings::default()).solve(rig, &person, points, 0.0);
        Movement {
            moved: Box::new(moved(&person, points, &pose.head)),
            solved: pose.weights,
            truth: truth(i),
        }
    };
    frames.iter().enumerate().map(movement).collect()
}

/// Of each expression the one that it is in the mirror.
fn other_sides() -> [usize; N_EXPRESSIONS] {
    let ends = [
        ("_L", "_R"),
        ("_R", "_L"),
        ("Left", "Right"),
        ("Right", "Left"),
    ];
    std::array::from_fn(|k| {
        let name = EXPRESSIONS[k];
        let mut others = ends.iter().filter_map(|(end, other)| {
            let stem = name.strip_suffix(end)?;
            Some(expression(&format!("{stem}{other}")))
        });
        others.next().unwrap_or(k)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_change_places_in_the_mirror() {
        let other = other_sides();
        assert!((0..N_EXPRESSIONS).all(|k| other[other[k]] == k));
        assert_eq!(other[expression("eyeBlink_L")], expression("eyeBlink_R"));
        assert_eq!(other[expression("mouthLeft")], expression("mouthRight"));
        assert_eq!(other[expression("jawOpen")], expression("jawOpen"));
    }
}
