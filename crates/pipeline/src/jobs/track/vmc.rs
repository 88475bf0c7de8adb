//! The VMC protocol (<https://protocol.vmc.info>): OSC over UDP.
//!
//! Unity's axes: x to the person's right, y up, z forward, left-handed. Blend shapes have ARKit's
//! names with a capital, as models made for it call them.

use effigy_face::pose::Rotation;
use effigy_face::rig::ARKIT;

use super::csv::capitalised;
use super::osc::{Arg, bundle, message};
use super::take::{Playing, eye_rotation, quaternion};

/// Packets are no larger, so that no network cuts them.
const MOST_BYTES: usize = 1200;

/// Says that movement will come.
pub(super) fn hello() -> Vec<u8> {
    message("/VMC/Ext/OK", &[Arg::Int(0)])
}

/// A frame in as many packets as it needs.
pub(super) fn packets(playing: &Playing<'_>) -> Vec<Vec<u8>> {
    let (mut packets, mut packet, mut n_bytes) = (Vec::new(), Vec::new(), 0);
    for message in messages(playing) {
        if n_bytes + message.len() > MOST_BYTES {
            packets.push(bundle(&std::mem::take(&mut packet)));
            n_bytes = 0;
        }
        n_bytes += message.len() + 4;
        packet.push(message);
    }
    packets.push(bundle(&packet));
    packets
}

fn messages(playing: &Playing<'_>) -> Vec<Vec<u8>> {
    let Playing { frame, secs, .. } = *playing;
    let mut all = vec![
        message("/VMC/Ext/OK", &[Arg::Int(i32::from(frame.is_seen))]),
        message("/VMC/Ext/T", &[Arg::Float(secs)]),
        bone("Head", &frame.rotation),
        bone("RightEye", &eye_rotation(frame.gaze[0])),
        bone("LeftEye", &eye_rotation(frame.gaze[1])),
    ];
    for (name, weight) in ARKIT.iter().zip(frame.weights) {
        let name = capitalised(name);
        let args = [Arg::Text(&name), Arg::Float(weight)];
        all.push(message("/VMC/Ext/Blend/Val", &args));
    }
    all.push(message("/VMC/Ext/Blend/Apply", &[]));
    all
}

/// A bone turned where it is.
///
/// All three of our axes point the other way there, which leaves the numbers of a turn as they are.
fn bone(name: &str, rotation: &Rotation) -> Vec<u8> {
    let [x, y, z, w] = quaternion(rotation);
    let place = [0.0; 3].map(Arg::Float);
    let turn = [x, y, z, w].map(Arg::Float);
    let args: Vec<Arg<'_>> = std::iter::once(Arg::Text(name))
        .chain(place)
        .chain(turn)
        .collect();
    message("/VMC/Ext/Bone/Pos", &args)
}
