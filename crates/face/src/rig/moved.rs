//! What the expression reader adds to the solver's weights.

use effigy_frame::Point3;
use effigy_model::ExpressionReader;
use effigy_model::expression_reader::N_MOVED;

use super::placement::at;
use super::{N_EXPRESSIONS, Person, Placement};
use crate::landmarks::N_SKIN_POINTS;

/// Degrees of a turn that count as one.
const FULL_TURN: f32 = 30.0;
/// Points further off than this on the head, in centimetres, were not found.
const FURTHEST_CM: f32 = 10.0;

/// How the points of a face have moved from where they are at rest, in centimetres on the head, as the expression reader is
/// shown it. Irises are counted from the middle of their eyeballs.
///
/// # Panics
/// If `points` is not a whole mesh.
pub fn moved(person: &Person, points: &[Point3], head: &Placement) -> [f32; N_MOVED] {
    let mut moved = [0.0; N_MOVED];
    let (places, rest) = moved.split_at_mut(3 * points.len());
    let (places, _) = places.as_chunks_mut::<3>();
    for (i, (place, p)) in places.iter_mut().zip(points).enumerate() {
        let at_rest = match i.checked_sub(N_SKIN_POINTS) {
            None => at(&person.points, i),
            Some(of_irises) => person.eyes[usize::from(of_irises >= N_OF_IRIS)].middle,
        };
        let here = head.back([p.x, p.y, p.z]);
        *place = [0, 1, 2].map(|k| (here[k] - at_rest[k]).clamp(-FURTHEST_CM, FURTHEST_CM));
    }
    let angles = head.angles();
    rest[0] = angles.yaw / FULL_TURN;
    rest[1] = angles.pitch / FULL_TURN;
    moved
}

const N_OF_IRIS: usize = 5;

/// Weights between those of the solver and those that the reader tells, by how much it counts for each.
pub(super) fn put_right(
    reader: &ExpressionReader,
    moved: &[f32; N_MOVED],
    weights: &mut [f32; N_EXPRESSIONS],
) {
    let told = reader.tell(moved);
    for ((weight, told), share) in weights.iter_mut().zip(told).zip(reader.shares()) {
        *weight += share * (told - *weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::{Rig, expression};
    use effigy_model::Weights;

    #[test]
    fn a_movement_is_the_shape_of_its_expression() {
        let rig = Rig::load(&Weights::from_source_tree().unwrap()).unwrap();
        let person = Person::mean(&rig);
        let mut weights = [0.0; N_EXPRESSIONS];
        let head = Placement {
            scale: 30.0,
            shift: [200.0, 100.0, 5.0],
            ..Placement::default()
        };
        let seen = |weights: &[f32; N_EXPRESSIONS]| -> Vec<Point3> {
            let skin = rig.skin_points(&person, weights);
            let irises = person.eyes().iter().flat_map(|eye| [eye.middle; N_OF_IRIS]);
            let places = skin.into_iter().chain(irises).map(|p| head.apply(p));
            places.map(|[x, y, z]| Point3::new(x, y, z)).collect()
        };
        let at_rest = moved(&person, &seen(&weights), &head);
        assert!(at_rest.iter().all(|v| v.abs() < 1e-3));
        let jaw = expression("jawOpen");
        weights[jaw] = 0.5;
        let open = moved(&person, &seen(&weights), &head);
        let shape = &rig.points.expression[jaw];
        assert!(shape.iter().any(|v| v.abs() > 0.5));
        for (found, shape) in open.iter().zip(shape) {
            assert!((found - 0.5 * shape).abs() < 2e-3, "{found} {shape}"); // single precision at 30 px a cm
        }
    }
}
