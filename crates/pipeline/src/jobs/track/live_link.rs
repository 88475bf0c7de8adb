//! Live Link as Epic's Live Link Face sends it, one packet a frame: who sends, which frame, and 61
//! numbers in the order of the columns of its CSV. Numbers have their highest byte first, but for the version.

use effigy_face::rig::Gaze;

use super::take::Playing;

const VERSION: u32 = 6;
/// Whoever sends has a name of 37 letters; several senders would need several.
const SENDER: &str = "$65666669-6779-4c69-6e6b-000000000001";
/// What the face is called in Unreal Engine.
const SUBJECT: &str = "effigy";
/// ARKit's 52, and three angles each of the head, the left and the right eye.
const N_NUMBERS: u8 = 61;

/// Says that nobody is seen yet.
pub(super) fn hello() -> Vec<u8> {
    head()
}

/// A frame; without numbers where the face is not seen.
pub(super) fn packet(playing: &Playing<'_>) -> Vec<u8> {
    let mut packet = head();
    let frame = playing.frame;
    if !frame.is_seen {
        return packet;
    }
    let in_a_second = playing.fps.round().max(1.0) as u32;
    packet.extend((playing.index as u32).to_be_bytes());
    packet.extend(0.0_f32.to_be_bytes()); // the part of a frame
    packet.extend(in_a_second.to_be_bytes());
    packet.extend(1_u32.to_be_bytes());
    packet.push(N_NUMBERS);
    let eye = |gaze: Gaze| [gaze.yaw, gaze.pitch, 0.0];
    let [right, left] = frame.gaze.map(eye);
    let angles = [frame.angles(), left, right].into_iter().flatten();
    for number in frame.weights.into_iter().chain(angles.map(f32::to_radians)) {
        packet.extend(number.to_be_bytes());
    }
    packet
}

fn head() -> Vec<u8> {
    let mut head = VERSION.to_le_bytes().to_vec();
    head.extend(SENDER.as_bytes());
    head.extend((SUBJECT.len() as u32).to_be_bytes());
    head.extend(SUBJECT.as_bytes());
    head
}
