//! Plays a take to a receiver of the VMC protocol (<https://protocol.vmc.info>): OSC over UDP.
//!
//! Unity's axes: x to the person's right, y up, z forward, left-handed. Blend shapes have ARKit's
//! names with a capital, as models made for it call them.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use effigy_face::pose::Rotation;
use effigy_face::rig::ARKIT;

use super::csv::capitalised;
use super::osc::{Arg, bundle, message};
use super::take::{Moved, Take, eye_rotation, quaternion};
use crate::error::{Error, Result};
use crate::steps::progress::Progress;

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Packets that were sent.
    pub n_packets: u64,
    /// Packets that the receiver's machine refused.
    pub n_refused: u64,
    /// Frames that came too late to be sent.
    pub n_late: u64,
}

/// Somebody who receives movement.
#[derive(Debug)]
pub(super) struct Receiver {
    socket: UdpSocket,
    address: SocketAddr,
    names: Vec<String>,
    sent: Sent,
}

/// Packets are no larger, so that no network cuts them.
const MOST_BYTES: usize = 1200;
/// How long a machine has to say that nobody listens.
const ANSWER: Duration = Duration::from_millis(60);
/// Later frames are dropped rather than sent.
const TOO_LATE: Duration = Duration::from_millis(200);

impl Receiver {
    /// Opens the way to a receiver.
    ///
    /// # Errors
    /// When there is none, or the receiver's machine says that nobody listens there. A machine
    /// that says nothing may still have no listener: UDP does not tell.
    pub(super) fn reach(address: SocketAddr) -> Result<Self> {
        let failed = |source: io::Error| Error::NoReceiver { source, address };
        let from: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(from).map_err(failed)?;
        socket.connect(address).map_err(failed)?;
        let hello = message("/VMC/Ext/OK", &[Arg::Int(0)]);
        for _twice in 0..2 {
            socket.send(&hello).map_err(failed)?;
            thread::sleep(ANSWER);
        }
        Ok(Self {
            socket,
            address,
            names: ARKIT.iter().map(|name| capitalised(name)).collect(),
            sent: Sent::default(),
        })
    }

    /// Plays a take at its own speed.
    ///
    /// # Errors
    /// When the way to the receiver is gone, or `progress` asks to stop.
    pub(super) fn play(&mut self, take: &Take, progress: &mut dyn Progress) -> Result<Sent> {
        progress.begin("playing", Some(take.frames.len() as u64));
        let started = Instant::now();
        let first = take.frames.first().map_or(0.0, |frame| frame.time_secs);
        for frame in &take.frames {
            let due = Duration::from_secs_f64((frame.time_secs - first).max(0.0));
            thread::sleep(due.saturating_sub(started.elapsed()));
            if started.elapsed().saturating_sub(due) > TOO_LATE {
                self.sent.n_late += 1;
            } else {
                self.send(frame, started.elapsed().as_secs_f32())?;
            }
            if progress.step().is_break() {
                return Err(Error::Cancelled);
            }
        }
        Ok(self.sent)
    }

    fn send(&mut self, frame: &Moved, secs: f32) -> Result<()> {
        let mut packet = Vec::new();
        let mut n_bytes = 0;
        for message in messages(frame, &self.names, secs) {
            if n_bytes + message.len() > MOST_BYTES {
                self.send_packet(&bundle(&std::mem::take(&mut packet)))?;
                n_bytes = 0;
            }
            n_bytes += message.len() + 4;
            packet.push(message);
        }
        self.send_packet(&bundle(&packet))
    }

    fn send_packet(&mut self, bytes: &[u8]) -> Result<()> {
        self.sent.n_packets += 1;
        match self.socket.send(bytes) {
            Ok(_) => Ok(()),
            // The receiver was closed; it may be opened again.
            Err(err) if err.kind() == ErrorKind::ConnectionRefused => {
                self.sent.n_refused += 1;
                Ok(())
            }
            Err(source) => Err(Error::NoReceiver {
                source,
                address: self.address,
            }),
        }
    }
}

fn messages(frame: &Moved, names: &[String], secs: f32) -> Vec<Vec<u8>> {
    let mut all = vec![
        message("/VMC/Ext/OK", &[Arg::Int(i32::from(frame.is_seen))]),
        message("/VMC/Ext/T", &[Arg::Float(secs)]),
        bone("Head", &frame.rotation),
        bone("RightEye", &eye_rotation(frame.gaze[0])),
        bone("LeftEye", &eye_rotation(frame.gaze[1])),
    ];
    for (name, weight) in names.iter().zip(frame.weights) {
        let args = [Arg::Text(name), Arg::Float(weight)];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::track::take::tests::take;
    use crate::steps::progress::Quiet;

    #[test]
    fn a_receiver_hears_every_coefficient_of_every_frame() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut receiver = Receiver::reach(socket.local_addr().unwrap()).unwrap();
        let sent = receiver.play(&take(3), &mut Quiet).unwrap();
        assert_eq!((sent.n_refused, sent.n_late), (0, 0));
        let mut heard = Vec::new();
        let mut packet = [0; 2048];
        // The two that asked whether anybody is there come first.
        for _packet in 0..sent.n_packets + 2 {
            let n = socket.recv(&mut packet).unwrap();
            assert!(n <= MOST_BYTES + 100, "{n} bytes");
            heard.extend_from_slice(&packet[..n]);
        }
        let count = |text: &[u8]| heard.windows(text.len()).filter(|w| *w == text).count();
        assert_eq!(count(b"/VMC/Ext/Blend/Val"), 3 * 52);
        assert_eq!(count(b"/VMC/Ext/Blend/Apply"), 3);
        assert_eq!(count(b"JawOpen\0"), 3);
        assert_eq!(count(b"/VMC/Ext/Bone/Pos"), 9);
    }

    #[test]
    fn a_port_where_nobody_listens_is_named() {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let refused = Receiver::reach(address).unwrap_err().to_string();
        assert!(refused.contains(&address.to_string()), "{refused}");
        assert!(refused.contains("nobody"), "{refused}");
    }
}
