//! Programs that listen, by UDP: a take is played to them at its own speed.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use super::take::{Playing, Take};
use super::{ifacialmocap, live_link, vmc};
use crate::error::{Error, Result};
use crate::steps::progress::Progress;

/// How movement is told to another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// VMC: OSC over UDP, for VR.
    Vmc,
    /// Live Link, as Epic's Live Link Face sends it, for Unreal Engine.
    LiveLink,
    /// iFacialMocap, for Blender, Unity and others.
    IFacialMocap,
}

/// Where movement is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// How.
    pub protocol: Protocol,
    /// To whom.
    pub address: SocketAddr,
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Packets that were sent.
    pub n_packets: u64,
    /// Packets that the receivers' machines refused.
    pub n_refused: u64,
    /// Frames that came too late to be sent.
    pub n_late: u64,
}

/// Somebody who receives movement.
#[derive(Debug)]
pub(super) struct Receiver {
    socket: UdpSocket,
    listener: Listener,
    sent: Sent,
}

/// How long a machine has to say that nobody listens.
const ANSWER: Duration = Duration::from_millis(60);
/// Later frames are dropped rather than sent.
const TOO_LATE: Duration = Duration::from_millis(200);

/// Plays a take at its own speed.
///
/// # Errors
/// When the way to a receiver is gone, or `progress` asks to stop.
pub(super) fn play(
    take: &Take,
    receivers: &mut [Receiver],
    progress: &mut dyn Progress,
) -> Result<Sent> {
    progress.begin("playing", Some(take.frames.len() as u64));
    let started = Instant::now();
    let first = take.frames.first().map_or(0.0, |frame| frame.time_secs);
    let mut n_late = 0;
    for (index, frame) in take.frames.iter().enumerate() {
        let due = Duration::from_secs_f64((frame.time_secs - first).max(0.0));
        thread::sleep(due.saturating_sub(started.elapsed()));
        if started.elapsed().saturating_sub(due) > TOO_LATE {
            n_late += 1;
        } else {
            let playing = Playing {
                frame,
                index,
                fps: take.fps,
                secs: started.elapsed().as_secs_f32(),
            };
            for receiver in &mut *receivers {
                receiver.send(&playing)?;
            }
        }
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
    }
    Ok(Sent {
        n_late,
        ..sent_to(receivers)
    })
}

/// What was sent to all receivers.
pub(super) fn sent_to(receivers: &[Receiver]) -> Sent {
    let sum = |count: fn(&Sent) -> u64| receivers.iter().map(|r| count(&r.sent)).sum();
    Sent {
        n_packets: sum(|sent| sent.n_packets),
        n_refused: sum(|sent| sent.n_refused),
        n_late: 0,
    }
}

impl Receiver {
    /// Opens the way to a receiver.
    ///
    /// # Errors
    /// When there is none, or the receiver's machine says that nobody listens there. A machine
    /// that says nothing may still have no listener: UDP does not tell.
    pub(super) fn reach(listener: Listener) -> Result<Self> {
        let Listener { protocol, address } = listener;
        let failed = |source: io::Error| match source.kind() {
            ErrorKind::ConnectionRefused => Error::NoReceiver { source, address },
            _ => Error::CannotSend { source, address },
        };
        let from: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(from).map_err(failed)?;
        socket.connect(address).map_err(failed)?;
        let hello = match protocol {
            Protocol::Vmc => vmc::hello(),
            Protocol::LiveLink => live_link::hello(),
            Protocol::IFacialMocap => ifacialmocap::hello(),
        };
        for _twice in 0..2 {
            socket.send(&hello).map_err(failed)?;
            thread::sleep(ANSWER);
        }
        Ok(Self {
            socket,
            listener,
            sent: Sent::default(),
        })
    }

    /// Tells of a frame.
    ///
    /// # Errors
    /// When the way to the receiver is gone. Whether anybody listens there is not known for sure.
    pub(super) fn send(&mut self, playing: &Playing<'_>) -> Result<()> {
        let packets = match self.listener.protocol {
            Protocol::Vmc => vmc::packets(playing),
            Protocol::LiveLink => vec![live_link::packet(playing)],
            Protocol::IFacialMocap => vec![ifacialmocap::packet(playing.frame)],
        };
        packets
            .iter()
            .try_for_each(|packet| self.send_packet(packet))
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
                address: self.listener.address,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::track::take::tests::take;
    use crate::steps::progress::Quiet;

    /// Plays three frames to a socket; gives what was sent, and the packets behind the two that asked
    /// whether anybody is there.
    fn heard(protocol: Protocol) -> (Sent, Vec<Vec<u8>>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let mut receivers = [Receiver::reach(Listener { protocol, address }).unwrap()];
        let sent = play(&take(3), &mut receivers, &mut Quiet).unwrap();
        assert_eq!((sent.n_refused, sent.n_late), (0, 0));
        let mut buffer = [0; 2048];
        let packets = (0..sent.n_packets + 2).map(|_| {
            let n = socket.recv(&mut buffer).unwrap();
            assert!(n <= 1300, "{n} bytes");
            buffer[..n].to_vec()
        });
        let packets = packets.skip(2).collect();
        (sent, packets)
    }

    #[test]
    fn vmc_tells_every_coefficient_of_every_frame() {
        let heard = heard(Protocol::Vmc).1.concat();
        let count = |text: &[u8]| heard.windows(text.len()).filter(|w| *w == text).count();
        assert_eq!(count(b"/VMC/Ext/Blend/Val"), 3 * 52);
        assert_eq!(count(b"/VMC/Ext/Blend/Apply"), 3);
        assert_eq!(count(b"JawOpen\0"), 3);
        assert_eq!(count(b"/VMC/Ext/Bone/Pos"), 9);
    }

    #[test]
    fn live_link_tells_a_frame_a_packet() {
        let (sent, packets) = heard(Protocol::LiveLink);
        assert_eq!((sent.n_packets, packets.len()), (3, 3));
        let jaw = |packet: &[u8]| {
            let values = &packet[packet.len() - 4 * 61..];
            let at = 4 * effigy_face::rig::ARKIT
                .iter()
                .position(|n| *n == "jawOpen")
                .unwrap();
            f32::from_be_bytes(values[at..at + 4].try_into().unwrap())
        };
        let jaws: Vec<f32> = packets.iter().map(|packet| jaw(packet)).collect();
        assert_eq!(jaws, [0.0, 0.5, 0.0]);
    }

    #[test]
    fn ifacialmocap_tells_a_frame_a_packet() {
        let (_, packets) = heard(Protocol::IFacialMocap);
        let texts: Vec<String> = packets
            .into_iter()
            .map(|packet| String::from_utf8(packet).unwrap())
            .collect();
        assert!(texts[1].contains("|jawOpen-50|"), "{}", texts[1]);
        for part in ["eyeBlink_L-0|", "|=head#", "|rightEye#", "|leftEye#"] {
            assert!(texts[0].contains(part), "{part}: {}", texts[0]);
        }
    }

    #[test]
    fn a_port_where_nobody_listens_is_named() {
        for protocol in [Protocol::Vmc, Protocol::LiveLink, Protocol::IFacialMocap] {
            let free = UdpSocket::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let refused = Receiver::reach(Listener { protocol, address }).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.contains(&address.to_string()), "{refused}");
            assert!(refused.contains("nobody"), "{refused}");
        }
    }
}
