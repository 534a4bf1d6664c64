//! Listening sockets by question to the kernel, `sock_diag(7)`, as `ss` asks: a tenth of a millisecond, where reading
//! `/proc/net/tcp` walks the table of all connections of the machine, some milliseconds for each `read`.
//!
//! Messages, in the machine's byte order unless said otherwise:
//!
//! ```text
//! header     length u32, type u16, flags u16, sequence u32, sender u32
//! question   header, family u8, protocol u8, extensions u8, -, states u32 (one bit each), 48 bytes: any socket
//! answer     header, family u8, state u8, timer u8, retransmits u8, port u16 (big-endian), -, address at byte 8, …,
//!            inode u32 at byte 68
//! ```

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

const HEADER: usize = 16;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// A request that wants the whole list.
const REQUEST_DUMP: u16 = 0x301;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const IPPROTO_TCP: u8 = 6;
const TCP_LISTEN: u32 = 10;
const PORT_AT: usize = 4;
const ADDRESS_AT: usize = 8;
const INODE_AT: usize = 68;

/// The inode and the address of every listening TCP socket that this process may know of.
pub(super) fn listening() -> io::Result<Vec<(u64, SocketAddr)>> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(netlink::SOCK_DIAG))?;
    let mut found = Vec::new();
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        send(&socket, &question(u8::try_from(family.as_raw()).unwrap_or_default()), SendFlags::empty())?;
        let mut answer = vec![0; 32 << 10];
        // The kernel writes its answer before `send` and `recv` return: there is nothing to wait for.
        while {
            let (length, _) = recv(&socket, &mut answer, RecvFlags::DONTWAIT)?;
            collect(answer.get(..length).unwrap_or_default(), &mut found)?
        } {}
    }
    Ok(found)
}

fn question(family: u8) -> Vec<u8> {
    let mut body = vec![family, IPPROTO_TCP, 0, 0];
    body.extend((1_u32 << TCP_LISTEN).to_ne_bytes());
    body.extend([0; 48]);
    let length = u32::try_from(HEADER + body.len()).unwrap_or_default();
    let mut message = Vec::new();
    message.extend(length.to_ne_bytes());
    message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend(REQUEST_DUMP.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// Takes the sockets out of one datagram. Returns whether more are to come.
fn collect(mut messages: &[u8], found: &mut Vec<(u64, SocketAddr)>) -> io::Result<bool> {
    while !messages.is_empty() {
        let cut_off = || io::Error::new(io::ErrorKind::InvalidData, "a sock_diag message is cut off");
        let length = u32_at(messages, 0).and_then(|l| usize::try_from(l).ok()).ok_or_else(cut_off)?;
        let message = messages.get(..length).filter(|m| m.len() >= HEADER).ok_or_else(cut_off)?;
        match u16_at(message, 4) {
            Some(DONE) => return Ok(false),
            Some(ERROR) => return Err(io::Error::other("sock_diag refused the question")),
            _ => {}
        }
        let body = message.get(HEADER..).unwrap_or_default();
        let port = body.get(PORT_AT..PORT_AT + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
        let inode = u32_at(body, INODE_AT).ok_or_else(cut_off)?;
        if let (Some(port), Some(address)) = (port.filter(|port| *port != 0), address(body)) {
            found.push((u64::from(inode), SocketAddr::new(address, port)));
        }
        // Messages begin at multiples of four.
        messages = messages.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

fn address(body: &[u8]) -> Option<IpAddr> {
    let bytes: [u8; 16] = body.get(ADDRESS_AT..ADDRESS_AT + 16)?.try_into().ok()?;
    if i32::from(*body.first()?) == i32::from(AddressFamily::INET6.as_raw()) {
        return Some(Ipv6Addr::from(bytes).into());
    }
    let four: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    Some(Ipv4Addr::from(four).into())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn listeners_of_both_families_are_told_and_agree_with_proc() {
        let four = TcpListener::bind("127.0.0.1:0").unwrap();
        let six = TcpListener::bind("[::1]:0").ok();
        let found = listening().unwrap();
        for listener in [Some(four), six].into_iter().flatten() {
            let address = listener.local_addr().unwrap();
            let inode = found.iter().find(|(_, a)| *a == address).unwrap().0;
            assert_eq!(super::super::sockets_in_proc().get(&inode), Some(&address));
        }
    }

    #[test]
    fn a_message_that_is_cut_off_is_an_error_and_no_panic() {
        let whole = question(2);
        for length in 1..whole.len() {
            assert!(collect(&whole[..length], &mut Vec::new()).is_err(), "{length}");
        }
        assert!(collect(&[0; 16], &mut Vec::new()).is_err(), "a length of nothing would never end");
    }
}
